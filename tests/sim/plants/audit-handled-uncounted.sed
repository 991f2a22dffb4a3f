# A message that was handled is not counted.
# file: actors/turn.c
/self->msg stays: nobody/{n;s/.*/    ;/}
