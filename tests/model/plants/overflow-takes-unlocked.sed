# The injector is emptied without its lock.
# explorer: overflow
# file: sched/injector.c
/^struct tri_task \*tri_injector_take/,/^}/s/tri_spin_(un)?lock\(&injector->lock\);//
