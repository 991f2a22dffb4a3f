# A key whose time has passed is found.
# file: store.c
/^struct kv_entry \*kv_store_find/,/^}/s/entry == NULL \|\| kv_store_expired.*\)\)/entry == NULL)/
