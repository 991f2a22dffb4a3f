# An actor falls asleep without saying how much it has done: pushers may find the lane full for ever.
# explorer: lane
# models: lane/hold
# file: mailbox/lane.c
/^enum tri_sleep tri_lane_rest/,/^}/s/publish_taken\(lane\);//
