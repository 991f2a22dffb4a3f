# The poller is taken away while a worker is in it.
# explorer: seek
# models: seek/poller
# file: sched/poller.c
/^static void unset/,/^}/s/while \(tri_load_acquire_32\(&role->word\) != ABSENT\)/while (false)/
