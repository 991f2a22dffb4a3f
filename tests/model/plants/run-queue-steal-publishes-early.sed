# A thief publishes its loot before it is its own.
# explorer: run_queue
# models: run_queue/chain
# file: sched/run_queue.c
/^uint32_t tri_run_queue_steal/,/^}/s/^( *)count = half_of.*/&\n        if (count > 0) tri_store_release_64(\&to->tail, end + count);/
