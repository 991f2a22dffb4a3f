# Quiet is when all are parked, whatever waits.
# explorer: seek
# models: seek/quiet
# file: sched/quiet.c
/^static bool are_queues_empty/,/^}/s/if \(tri_injector_length\(&sched->injector\) > 0\)/if (false)/
