# The rest after a lone message goes by an old word: what came meanwhile is not seen.
# explorer: lane
# file: mailbox/lane.c
/^bool tri_lane_rest_lone/,/^}/{
    s/tri_load_relaxed_64\(&lane->word\) == word/(word = tri_load_relaxed_64(\&lane->word)) != 0/
}
