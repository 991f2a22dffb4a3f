# Records count as synced when they are written.
# file: journal.c
/^static void log_written/,/^}/s/^( *)lane_written\(.*/&\n\1journal->synced_to = journal->log.written_to;/
