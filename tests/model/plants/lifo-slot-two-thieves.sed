# Any number of thieves claim at one time.
# explorer: lifo_slot
# file: sched/lifo_slot.c
s/!tri_cas_acq_rel_32\(&slot->claim, &seen, CLAIMED\)/(tri_cas_acq_rel_32(\&slot->claim, \&seen, CLAIMED), false)/
