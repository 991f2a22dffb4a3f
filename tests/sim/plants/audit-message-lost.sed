# Of a batch the second message is lost.
# file: mailbox/lane.c
s/lane->pending = oldest->next;/lane->pending = oldest->next != NULL ? oldest->next->next : NULL;/
