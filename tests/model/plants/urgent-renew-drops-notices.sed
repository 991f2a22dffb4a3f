# The next incarnation forgets the notices, which are not for one incarnation only.
# explorer: lane
# models: lane/renew
# file: mailbox/urgent.c
/^void tri_urgent_renew/,/^}/s/ \| \(word & NEWEST\)//
