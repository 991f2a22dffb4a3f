# The boundary is freed when it was handled, while the word still names it.
# explorer: lane
# file: mailbox/lane.c
/^void tri_lane_done/,/^}/{
    s/if \(message != lane->boundary\)/if (message == lane->boundary) lane->boundary = NULL;/
}
