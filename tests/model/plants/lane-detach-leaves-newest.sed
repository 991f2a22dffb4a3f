# Detach forgets the boundary without taking it out of the word.
# explorer: lane
# models: lane/aside
# file: mailbox/lane.c
/^void tri_lane_detach/,/^}/s/while \(newest_of\(word\) == message\)/if (newest_of(word) == message) return;\n    while (false)/
