# Works that waited for the replay are answered before they are safe.
# file: shard.c
/^static int begin_serving/,/^}/s/^( *)answer_waiting\(self, s\);/\1s->acknowledged = s->number;\n&/
