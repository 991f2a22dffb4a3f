# A message is meant for the life after the present one.
# file: actors/deliver.c
s/message->generation = .*;/message->generation = tri_ref_generation(to) + 1;/
