# A sync that failed is tried again, as if nothing had been lost.
# file: journal.c
/^static void log_synced/,/^}/s/kv_journal_distrust\(.*/return;/
