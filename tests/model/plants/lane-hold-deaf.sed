# Hold goes to sleep with an alert standing.
# explorer: lane
# models: lane/hold
# file: mailbox/lane.c
/^enum tri_sleep tri_lane_hold/,/^}/s/while \(!\(word & ALERT\)\)/while (true)/
