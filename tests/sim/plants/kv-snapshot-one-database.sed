# A snapshot puts all keys into the first database.
# file: shard.c
/^static void add_to_piece/,/^}/s/\.database = .*,/.database = 0,/
