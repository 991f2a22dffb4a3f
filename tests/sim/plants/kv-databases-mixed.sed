# A replay puts all keys into the first database.
# file: store.c
/^static int apply_to_key/,/^}/s/^( *)operation->database,/\10,/
