# The last caller does not wake the stop.
# explorer: gate
# file: actors/system.c
/^void tri_system_leave/,/^}/s/before == \(TRI_GATE_CLOSING \| 1\)/false/
