# A token for a thread that does not sleep yet is lost.
# explorer: seek
# file: sched/park.c
/^enum tri_given tri_park_give/,/^}/s/switch \(tri_exchange_acq_rel_32\(&park->word, TOKEN\)\)/switch (tri_load_relaxed_32(\&park->word) == EMPTY ? EMPTY : tri_exchange_acq_rel_32(\&park->word, TOKEN))/
