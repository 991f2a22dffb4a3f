# A push takes the alert down.
# explorer: lane
# models: lane/hold
# file: mailbox/lane.c
/^static uint64_t pushed/,/^}/s/~\(uint64_t\)IDLE/~(uint64_t)(IDLE | ALERT)/
