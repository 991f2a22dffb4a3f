# Bytes of commands that are done with stay in front of a half command.
# file: session.c
/^static void drop_parsed/,/^}/s/kv_resp_shift\(.*/(void)0;/
