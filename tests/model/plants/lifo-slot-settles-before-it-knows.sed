# The owner does not wait until the thief has found out what is there.
# explorer: lifo_slot
# file: sched/lifo_slot.c
s/== &claimed; tries\+\+/== \&claimed \&\& tries > 1; tries++/
