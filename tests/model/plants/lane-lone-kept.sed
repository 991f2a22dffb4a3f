# A lone message that is set aside stays in the word.
# explorer: lane
# file: mailbox/lane.c
/^void tri_lane_detach/,/^}/s/lane->boundary != NULL && message != lane->boundary/message != lane->boundary/
