# The thief does not look at the gate.
# explorer: lifo_slot
# file: sched/lifo_slot.c
s/tri_load_acquire_32\(&slot->gate\) != TRI_GATE_OPEN/false/
