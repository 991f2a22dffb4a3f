# A thread that ends leaves its spare magazine behind.
# explorer: depot
# models: depot/end
# file: base/pool.c
/^void tri_pool_cache_empty/,/^}/s/unload\(cache\), cache->spare/unload(cache), NULL/
