# A caller that comes too late is let in.
# explorer: gate
# file: actors/system.c
/^int tri_system_enter/,/^}/s/& TRI_GATE_CLOSING/\& 0/
