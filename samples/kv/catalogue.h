/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KV_CATALOGUE_H
#define KV_CATALOGUE_H

/* A command's flags as redis has them, between blanks; "": it has none. */
const char *kv_catalogue_flags(const char *command);

#endif
