# A work is answered before its record is given to the log.
# file: shard.c
/^static int run_work/,/^}/s/work->sequence = .*;/work->sequence = 0;/
