# The next life begins counting done messages at 0, while the word goes on counting.
# explorer: lane
# models: lane/reopen
# file: mailbox/lane.c
/^void tri_lane_open/,/^}/s/lane->finished = .*/lane->finished = 0;/
