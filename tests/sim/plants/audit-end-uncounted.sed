# The end of an actor is not counted.
# file: actors/lifecycle.c
s/tri_self_count\(self, TRI_COUNT_ENDED\);/;/
