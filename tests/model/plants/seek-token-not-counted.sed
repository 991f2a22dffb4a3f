# A worker that was woken does not know that it is counted as a searcher.
# explorer: seek
# file: sched/seek.c
/^static void wake_up/,/^}/s/worker->is_searching = true;//
