# Every push to a sleeping actor answers WAKE, held or not.
# explorer: lane
# models: lane/hold
# file: mailbox/lane.c
/^static inline enum tri_push push/,/^}/s/return word & IDLE \?/return word \& ASLEEP ?/
