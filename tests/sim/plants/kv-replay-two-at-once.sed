# A replay that begins anew does not wait for the operation of the last.
# file: log_actor.c
/^static void begin_replay_when_quiet/,/^}/s/k->reading \|\| //
