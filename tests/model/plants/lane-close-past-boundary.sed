# Close walks past the boundary, into messages that were handled.
# explorer: lane
# models: lane/stop
# file: mailbox/lane.c
/^struct tri_message \*tri_lane_close/,/^}/s/reverse_until\(newest_of\(word\), boundary\)/reverse_until(newest_of(word), NULL)/
