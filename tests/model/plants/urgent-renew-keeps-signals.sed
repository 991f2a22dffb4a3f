# A stop meant for one incarnation reaches the next.
# explorer: lane
# models: lane/renew
# file: mailbox/urgent.c
/^void tri_urgent_renew/,/^}/s/word & NEWEST\)/word \& (NEWEST | SIGNALS))/
