# A bit is cleared without asking who cleared it.
# explorer: seek
# file: sched/idle.c
/^static bool clear_bit/,/^}/s/while \(seen & bit\)/for (;;)/
