# The folder is not synced after the rename.
# file: journal.c
/^static void compaction_stepped/,/^}/s/^( *)journal->compaction = KV_COMPACTION_NAMING;/&\n\1journal->named = true;/
