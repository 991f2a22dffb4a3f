/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOL_H
#define SYMBOL_H

/* A place in the program. */
struct symbol {
    char name[128];   /* of its function; not known: "+" and where it is in the file */
    char object[256]; /* the program or library it is in */
};

/* Static functions too, as long as the file has not been stripped. */
void find_symbol(const void *address, struct symbol *ret_symbol);

#endif
