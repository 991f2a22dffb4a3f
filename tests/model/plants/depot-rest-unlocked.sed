# A loose block is taken without the lock.
# explorer: depot
# file: base/pool.c
/^static struct rest \*take_rest/,/^}/s/tri_spin_lock\(&depot->lock\);/struct rest *seen = tri_load_relaxed_ptr(list); if (seen != NULL) { tri_store_relaxed_ptr(list, seen->next); } return seen;/
