# The owner takes by a plain store.
# explorer: run_queue
# file: sched/run_queue.h
/tri_run_queue_take\(struct/,/^}/s/tri_cas_acq_rel_64\(&queue->head, &head, head \+ 1\)/(tri_store_relaxed_64(\&queue->head, head + 1), true)/
