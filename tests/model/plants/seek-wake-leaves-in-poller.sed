# A worker that sleeps in the poller is given a token and left there.
# explorer: seek
# models: seek/poller
# file: sched/sched.c
/^void tri_sched_wake\(/,/^}/s/if \(tri_park_give\((.*)\) == TRI_GIVEN_POLLING\)/if (tri_park_give(\1) == TRI_GIVEN_WAKE)/
