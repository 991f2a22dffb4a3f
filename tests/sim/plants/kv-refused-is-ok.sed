# A write that the disk refuses is answered as done.
# file: shard.c
/^static void answer_waiting/,/^}/s/kv_work_refuse_written\(.*/(void)0;/
