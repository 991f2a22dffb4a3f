# Whoever lives in the slot is found by any ref to it.
# explorer: slot
# file: actors/slot.c
/^int tri_slot_look/,/^}/s/actor == NULL \|\| tri_load_acquire_64\(&actor->ref\) != to.bits/actor == NULL/
