# The task that a thief took while the owner put it there stays in the slot.
# explorer: lifo_slot
# file: sched/lifo_slot.c
/stolen == task/,/end_claim/s/tri_store_relaxed_ptr\(&slot->task, NULL\);/;/
