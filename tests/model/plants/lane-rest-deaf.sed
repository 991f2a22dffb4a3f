# Rest goes to sleep with an alert standing.
# explorer: lane
# file: mailbox/lane.c
/^enum tri_sleep tri_lane_rest/,/^}/s/while \(!\(word & ALERT\) && /while (/
