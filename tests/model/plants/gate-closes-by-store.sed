# Closing the gate is a load and a store: a caller's coming or going in between is lost.
# explorer: gate
# file: actors/system.c
/^void tri_system_close_gate/,/^}/s/tri_or_acq_rel_32\(&sys->gate, (.*)\);/tri_store_relaxed_32(\&sys->gate, tri_load_relaxed_32(\&sys->gate) | \1);/
