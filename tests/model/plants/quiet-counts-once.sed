# The counts are not read again after the queues.
# explorer: idle
# models: idle/quiet
# file: sched/quiet.c
/^bool tri_sched_is_quiet/,/^}/s/return tri_load_acquire_64\(counts\) == before;/return true;/
