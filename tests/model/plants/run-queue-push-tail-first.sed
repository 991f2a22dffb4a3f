# The tail moves before the place is filled.
# explorer: run_queue
# file: sched/run_queue.h
/tri_run_queue_push\(struct/,/^}/s/^( *)tri_store_relaxed_ptr\(.*/    tri_store_release_64(\&queue->tail, tail + 1);\n&/
