# The end of a life leaves its generation standing.
# explorer: slot
# file: actors/slot.h
/tri_slot_end\(struct/,/^}/s/ref \+ TRI_REF_GENERATION/ref/
