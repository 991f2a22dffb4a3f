# A snapshot forgets keys' times.
# file: shard.c
/^static void add_to_piece/,/^}/s/entry->expires == KV_NEVER \? KV_LOG_SET : KV_LOG_SET_EXPIRING/KV_LOG_SET/
