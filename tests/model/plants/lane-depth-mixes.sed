# The depth is made from a word and a count that do not belong together.
# explorer: lane
# file: mailbox/lane.c
/^uint32_t tri_lane_depth/,/^}/s/while \(!still_stands\(lane, &word\)\)/while (false)/
