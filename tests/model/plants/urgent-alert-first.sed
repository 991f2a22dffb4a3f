# The alert is raised before the notice is there.
# explorer: lane
# file: mailbox/urgent.c
/^enum tri_push tri_urgent_push/,/^}/{
    s/^    uint64_t word = .*/    enum tri_push answer = alerted(lane);\n&/
    s/return alerted\(lane\);/return answer;/
}
