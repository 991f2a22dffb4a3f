# A signal hits whoever lives there.
# explorer: lane
# models: lane/reopen
# file: mailbox/urgent.c
/^enum tri_push tri_urgent_signal/,/^}/s/ \|\| word >> LIFE_SHIFT != life//
