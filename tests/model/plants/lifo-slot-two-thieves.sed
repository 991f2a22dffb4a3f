# Any number of thieves claim at one time.
# explorer: lifo_slot
# file: sched/lifo_slot.c
s/!tri_cas_acq_rel_ptr\(&slot->claim, &seen, &claimed\)/(tri_cas_acq_rel_ptr(\&slot->claim, \&seen, \&claimed), false)/
