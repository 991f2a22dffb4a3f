# What was refused is counted as accepted, too.
# file: actors/deliver.c
s/tri_count_for\(sys, self, type, TRI_COUNT_REJECTED\);/tri_count_for(sys, self, type, TRI_COUNT_ACCEPTED);/
