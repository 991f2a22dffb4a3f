# A task that becomes runnable is scheduled twice.
# file: sched/simulated.c
s/^    add\(of\(worker->sched\), task\);/    add(of(worker->sched), task);add(of(worker->sched), task);/
