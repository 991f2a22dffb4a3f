# The task that found the queue full is not tried again.
# explorer: overflow
# file: sched/worker.c
/^void tri_worker_enqueue/,/^}/s/while \(/if (/
