# A magazine that was unloaded keeps its old count.
# explorer: depot
# file: base/pool.c
/^static struct tri_magazine \*unload/,/^}/s/^    magazine->count = .*//
