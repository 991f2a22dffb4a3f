# The owner makes room by a plain store.
# explorer: run_queue
# models: run_queue/full
# file: sched/run_queue.c
/^uint32_t tri_run_queue_take_list/,/^}/s/while \(!tri_cas_acq_rel_64\(&queue->head, &head, head \+ taken\)\)/while (tri_store_relaxed_64(\&queue->head, head + taken), false)/
