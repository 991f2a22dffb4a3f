# The boundary is forgotten only after the swap: by then another worker may run the actor.
# explorer: lane
# file: mailbox/lane.c
/^enum tri_sleep tri_lane_rest/,/^}/{
    /lane->boundary = NULL;/d
    s/if \(boundary != NULL\)/tri_load_relaxed_64(\&lane->word); lane->boundary = NULL; &/
}
