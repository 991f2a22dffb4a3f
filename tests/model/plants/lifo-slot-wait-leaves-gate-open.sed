# An owner that met a thief goes on with the gate open.
# explorer: lifo_slot
# models: lifo_slot/two-thieves
# file: sched/lifo_slot.c
/void tri_lifo_slot_wait/,/^}/s/tri_store_relaxed_32\(&slot->gate, TRI_GATE_SHUT\);//
