# A push that lost a race is not measured against the limit again.
# explorer: lane
# file: mailbox/lane.c
/^static inline enum tri_push push/,/^}/{
    s/^( *)message->next = newest_of\(word\);/&\n        limited = false;/
}
