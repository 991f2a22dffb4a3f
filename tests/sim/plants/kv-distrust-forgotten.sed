# A file whose sync had failed is trusted again after a replay.
# file: log_actor.c
/^TR_ON\(kv_log_actor, kv_replayed/,/^}/s/if \(k->doubt < 0\)/if (k->doubt > 0)/
