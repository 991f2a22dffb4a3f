# A turn that goes on still counts as interrupted.
# file: sched/simulated.c
s/simulated->interrupted_count--;/;/
