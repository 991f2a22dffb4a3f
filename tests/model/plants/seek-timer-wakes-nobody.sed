# A timer from outside does not wake the worker that sleeps past it.
# explorer: seek
# models: seek/timer
# file: sched/sched.c
/^void tri_timer_start/,/^}/s/if \(tri_idle_choose_one/if (false \&\& tri_idle_choose_one/
