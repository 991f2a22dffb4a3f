# Rest frees the boundary before the swap that takes it out of the word.
# explorer: lane
# file: mailbox/lane.c
/^enum tri_sleep tri_lane_rest/,/^}/{
    /if \(boundary != NULL\)/,/tri_message_free/d
    s/^( *)publish_taken\(lane\);/&\n    if (boundary != NULL) tri_message_free(boundary);/
}
