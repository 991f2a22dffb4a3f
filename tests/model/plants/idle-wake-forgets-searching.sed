# A waker does not count whom it wakes as a searcher.
# explorer: seek
# file: sched/idle.c
/^static uint32_t wake_parked/,/^}/s/\+ TRI_IDLE_SEARCHING//
