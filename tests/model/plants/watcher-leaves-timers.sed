# The watcher does not fire a stuck worker's timers.
# explorer: seek
# models: seek/stuck-timer
# file: sched/watcher.c
/^static bool see_to/,/^}/s/fire_timers_of\(sched, worker, now\);//
