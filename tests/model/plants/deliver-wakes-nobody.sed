# A woken receiver is not scheduled.
# explorer: slot
# file: actors/deliver.c
/^static int pushed/,/^}/s/push == TRI_PUSH_WAKE/false/
