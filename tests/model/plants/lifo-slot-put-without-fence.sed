# The owner's half of the fence is missing where there is no membarrier.
# explorer: lifo_slot
# models: lifo_slot/symmetric
# file: sched/lifo_slot.h
/tri_lifo_slot_put\(struct/,/^}/s/tri_fence_light\(\);//
