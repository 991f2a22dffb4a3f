# The owner does not look at the claim.
# explorer: lifo_slot
# file: sched/lifo_slot.h
/tri_lifo_slot_shut\(struct/,/^}/s/tri_load_acquire_32\(&slot->claim\) != 0/false/
