# A thief moves the head by a plain store.
# explorer: run_queue
# file: sched/run_queue.c
/^uint32_t tri_run_queue_steal/,/^}/s/while \(!tri_cas_acq_rel_64\(&from->head, &head, head \+ count\)\)/while (tri_store_relaxed_64(\&from->head, head + count), false)/
