# An acknowledgement for an earlier incarnation counts.
# file: shard.c
/^TR_ON\(kv_shard, kv_acknowledged/,/^}/s/msg->epoch != s->epoch/false/
