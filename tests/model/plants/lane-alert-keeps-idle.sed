# An alert wakes and leaves the actor marked as idle: the next push wakes it again.
# explorer: lane
# file: mailbox/lane.c
/^enum tri_push tri_lane_alert/,/^}/s/~\(uint64_t\)ASLEEP/~(uint64_t)HELD/
