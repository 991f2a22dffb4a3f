# The owner fills a slot without looking whether it is empty.
# explorer: lifo_slot
# file: sched/lifo_slot.h
/tri_lifo_slot_fill\(struct/,/^}/s/!tri_lifo_slot_is_empty\(slot\)/false/
