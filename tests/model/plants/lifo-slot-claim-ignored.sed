# The owner does not look at the claim.
# explorer: lifo_slot
# file: sched/lifo_slot.h
/tri_lifo_slot_put\(struct/,/^}/s/tri_load_relaxed_ptr\(&slot->claim\) != NULL/false/
