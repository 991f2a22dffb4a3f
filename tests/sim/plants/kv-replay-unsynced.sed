# What a new incarnation reads is not synced first.
# file: log_actor.c
/^static void sync_first/,/^}/s/k->doubt == 0 \&\& /k->doubt > 0 \&\& /
