# The last record of the log is not replayed.
# file: replay.c
/^static size_t record_at/,/^}/s/left - KV_LOG_RECORD_HEADER < size/left - KV_LOG_RECORD_HEADER <= size/
