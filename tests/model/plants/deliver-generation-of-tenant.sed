# A message carries the generation of who lives there now, not of whom it was sent to.
# explorer: slot
# file: actors/deliver.c
/tri_deliver_message\(/,/^}/s/message->generation = tri_ref_generation\(to\);/message->generation = tri_ref_generation(tri_ref_of(actor));/
