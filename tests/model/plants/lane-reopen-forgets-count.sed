# The next life begins counting done messages at 0, while the word goes on counting.
# explorer: lane
# models: lane/reopen
# file: mailbox/lane.c
/^void tri_lane_open/,/^}/s/set_taken\(lane, word >> COUNT_SHIFT\)/set_taken(lane, 0)/
