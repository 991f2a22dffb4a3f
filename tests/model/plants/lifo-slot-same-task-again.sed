# A task that was stolen is put where it still stands.
# explorer: lifo_slot
# models: lifo_slot/again
# file: sched/lifo_slot.c
/^struct tri_task \*tri_lifo_slot_swap/,/^}/s/stolen_from\(slot\) != NULL/false/
