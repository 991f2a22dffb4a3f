# The thief's heavy fence is missing.
# explorer: lifo_slot
# file: sched/lifo_slot.c
/^struct tri_task \*tri_lifo_slot_steal/,/^}/s/tri_fence_heavy\(\);//
