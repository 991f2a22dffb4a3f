# A full queue takes one more task.
# explorer: run_queue
# models: run_queue/full
# file: sched/run_queue.h
/tri_run_queue_push\(struct/,/^}/s/>= TRI_RUN_QUEUE_LENGTH/> TRI_RUN_QUEUE_LENGTH/
