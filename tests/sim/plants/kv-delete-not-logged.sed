# DEL is not written down.
# file: store.c
/^void kv_store_delete/,/^}/s/write_down\(store, /if (database > 0) write_down(store, /
