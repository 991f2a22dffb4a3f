# A thief takes a place that nobody has filled.
# explorer: run_queue
# file: sched/run_queue.c
/^uint32_t tri_run_queue_steal/,/^}/s/if \(count == 0\)/if (count++ == 0)/
