# What was not counted at the push is counted when it is done.
# explorer: lane
# models: lane/solicited
# file: mailbox/lane.c
/^void tri_lane_settle/,/^}/s/if \(!is_counted\(message\)\)/if (false)/
