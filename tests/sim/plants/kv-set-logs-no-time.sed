# SET with a time is written down without it.
# file: store.c
/^struct kv_entry \*kv_store_set/,/^}/s/expires == KV_NEVER \? KV_LOG_SET : KV_LOG_SET_EXPIRING/KV_LOG_SET/
