# The new file takes the name without a sync.
# file: journal.c
/^static struct kv_action next_for_catching_up/,/^}/s/return step\(journal, KV_DO_SYNC_NEW\);/journal->compaction = KV_COMPACTION_RENAMING;\n    return step(journal, KV_DO_RENAME);/
