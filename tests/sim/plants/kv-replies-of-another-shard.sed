# Replies of two shards in a row are taken from the first.
# file: round.c
/^static void add_run/,/^}/s/ \&\& last->shard == shard//
