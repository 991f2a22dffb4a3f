# Of a write that was short the rest is forgotten.
# file: journal.c
/^static void lane_written/,/^}/s/if \(lane->flown < lane->flying.size\)/if (size == 0)/
