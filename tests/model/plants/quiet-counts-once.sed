# The counts are not read again after the queues.
# explorer: seek
# models: seek/quiet --search 1 --random 400000
# file: sched/quiet.c
/^bool tri_sched_is_quiet/,/^}/s/return tri_load_acquire_64\(counts\) == before;/return true;/
