# The owner takes what was stolen from it for its own.
# explorer: lifo_slot
# file: sched/lifo_slot.c
s/return stolen == old \? NULL : old;/return old;/
