# The thief ends its claim before it has taken the task out.
# explorer: lifo_slot
# file: sched/lifo_slot.c
s/^( *)struct tri_task \*task = tri_load_acquire_ptr\(&slot->task\);/    leave(slot);\n&/
