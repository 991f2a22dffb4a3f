# A push clears HELD, but does not wake.
# explorer: lane
# models: lane/hold
# file: mailbox/lane.c
/^static uint64_t pushed/,/^}/s/~\(uint64_t\)IDLE/~(uint64_t)ASLEEP/
