# A thief is not told that the worker is stuck, and leaves its lone task.
# explorer: seek
# models: seek/stuck
# file: sched/watcher.c
/^static bool see_to/,/^}/s/return tri_run_queue_length\(&worker->queue\) > 0 \|\| tri_lifo_slot_has_task\(&worker->lifo\);/return false;/
