# A write that failed counts as done.
# file: journal.c
/^static void log_written/,/^}/s/if \(result <= 0\) \{/if (result <= 0)\n        result = (int64_t)journal->log.flying.size;\n    if (result <= 0) {/
