# A full magazine is taken without the lock.
# explorer: depot
# file: base/pool.c
/^static struct tri_magazine \*trade_for_full/,/^}/s/tri_spin_(un)?lock\(&depot->lock\);//
