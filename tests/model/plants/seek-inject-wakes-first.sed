# A task is injected after somebody was woken for it.
# explorer: seek
# file: sched/sched.c
/^void tri_sched_inject/,/^}/{
    /tri_injector_add/d
    s/^( *)tri_sched_wake_for_new_work\(sched\);/&\n    tri_injector_add(\&sched->injector, task, task, 1);/
}
