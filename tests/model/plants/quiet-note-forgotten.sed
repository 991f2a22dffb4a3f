# The last worker that parks tells nobody.
# explorer: seek
# models: seek/quiet
# file: sched/quiet.c
/^void tri_quiet_note/,/^}/s/tri_fetch_add_acq_rel_32\(&quiet->sequence, 1\);//
