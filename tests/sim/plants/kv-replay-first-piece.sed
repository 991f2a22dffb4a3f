# Of a long log the first piece is replayed.
# file: log_actor.c
/^static int piece_read/,/^}/s/\.over = size < PIECE/.over = true/
