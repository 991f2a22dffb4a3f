# The usual push goes on although messages are aside: the limit is not seen.
# explorer: lane
# file: mailbox/lane.c
/^bool tri_lane_push_asleep/,/^}/s/\(uint64_t\)tri_load_relaxed_32\(&lane->taken\) << COUNT_SHIFT/(tri_load_relaxed_64(\&lane->word) \& COUNT)/
