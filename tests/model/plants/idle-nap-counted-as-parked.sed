# A nap that ends by itself takes one from the parked.
# explorer: seek
# models: seek/nap
# file: sched/idle.c
/^bool tri_idle_nap_ends/,/^}/s/0 - TRI_IDLE_NAPPING/0 - TRI_IDLE_PARKED/
