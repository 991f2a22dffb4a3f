# A caller that was refused stays counted.
# explorer: gate
# file: actors/system.c
/^int tri_system_enter/,/^}/s/tri_system_leave\(sys\);//
