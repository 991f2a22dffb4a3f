# A worker that found no poller does not look for one again before it sleeps.
# explorer: seek
# file: sched/seek.c
# models: seek/symmetric-poller
s/ \|\| \(poller == NULL && tri_poll_role_is_free\(role\)\)//
