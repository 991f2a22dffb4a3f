# A compaction goes on, or begins, while its shard is replaying.
# file: journal.c
/^void kv_journal_orphaned/,/^}/{s/orphan = true;/orphan = false;/;s/doomed = true;/doomed = false;/;}
