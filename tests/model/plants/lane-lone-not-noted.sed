# A lone message that goes the general way after all is not the boundary.
# explorer: lane
# file: mailbox/lane.c
/^void tri_lane_not_lone/,/^}/s/lane->boundary = message/(void)message/
