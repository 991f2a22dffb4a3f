# Under everysec nothing is synced.
# file: journal.c
/^static bool sync_is_due/,/^}/s/now >= journal->sync_at/now < 0/
