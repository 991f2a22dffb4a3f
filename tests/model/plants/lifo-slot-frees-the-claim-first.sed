# The claim is free again before what was stolen is out of the slot.
# explorer: lifo_slot
# file: sched/lifo_slot.c
/^struct tri_task \*tri_lifo_slot_swap/,/^}/{
s/tri_store_relaxed_ptr\(&slot->task, NULL\);/end_claim(slot);/
t
s/^( *)end_claim\(slot\);/\1tri_store_relaxed_ptr(\&slot->task, NULL);/
}
