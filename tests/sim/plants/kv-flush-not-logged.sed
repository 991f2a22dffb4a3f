# FLUSHDB is not written down.
# file: store.c
/^void kv_store_flush/,/^}/s/write_down\(store, /if (database > 99) write_down(store, /
