# The old file gets records that the new one is sealed without.
# file: journal.c
/^static bool log_rests/,/^}/s/journal->broken \|\| .*/journal->broken \&\& (/;/^static bool log_rests/,/^}/s/^( *)journal->compaction <= KV_COMPACTION_NAMING\);/\1true);/
