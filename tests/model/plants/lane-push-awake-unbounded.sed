# The push to a lane that is awake does not look whether it is full.
# explorer: lane
# file: mailbox/lane.c
/^bool tri_lane_push_awake/,/^}/s/limit != TRI_LANE_NO_LIMIT/false/
