# PEXPIRE is not written down.
# file: store.c
/^void kv_store_expire\(/,/^}/s/write_down\(store, /if (when < 0) write_down(store, /
