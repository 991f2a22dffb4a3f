# The new file does not get the records that come while it is made, and is not missed.
# file: journal.c
/^bool kv_journal_add/,/^}/s/!copies\(journal\) \|\| journal->doomed/true/
/^static struct kv_action next_for_catching_up/,/^}/s/fresh->written_to < journal->log.written_to/false/
