# APPEND writes the whole value down, to be appended again.
# file: store.c
/^struct kv_entry \*kv_store_append/,/^}/s/\.value = more/.value = kv_entry_value(entry)/
