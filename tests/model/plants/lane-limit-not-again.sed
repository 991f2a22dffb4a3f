# A push that lost a race is not measured against the limit again.
# explorer: lane
# file: mailbox/lane.c
/^enum tri_push tri_lane_push/,/^}/{
    s/^( *)message->next = newest_of\(word\);/&\n        limited = false;/
}
