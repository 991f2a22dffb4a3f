# Every push to a sleeping actor answers WAKE, held or not.
# explorer: lane
# models: lane/hold
# file: mailbox/lane.c
/^enum tri_push tri_lane_push/,/^}/s/return word & IDLE \?/return word \& ASLEEP ?/
