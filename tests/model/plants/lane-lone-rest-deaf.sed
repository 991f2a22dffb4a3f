# The rest after a lone message goes by a new word: what came meanwhile is not seen.
# explorer: lane
# file: mailbox/lane.c
/^bool tri_lane_rest_lone/,/^}/{
    s/tri_cas_acq_rel_64\(&lane->word, &word, word -/(word = tri_load_relaxed_64(\&lane->word), &/
    s/\+ IDLE\)\)\)/+ IDLE))))/
    s/word - \(uintptr_t\)message \+ IDLE/(word \& ~NEWEST) | IDLE/
}
