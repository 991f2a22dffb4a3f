# The watcher sees a stuck worker's queue and wakes nobody.
# explorer: seek
# models: seek/stuck
# file: sched/watcher.c
/^static void tick/,/^}/s/needs_help \|\| tri_injector/tri_injector/
