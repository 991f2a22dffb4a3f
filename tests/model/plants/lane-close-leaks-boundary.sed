# Close forgets the boundary that waited only as a mark.
# explorer: lane
# models: lane/stop
# file: mailbox/lane.c
/^struct tri_message \*tri_lane_close/,/^}/s/boundary != NULL && boundary_was_handled/false/
