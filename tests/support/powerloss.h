/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TESTS_SUPPORT_POWERLOSS_H
#define TROUPE_TESTS_SUPPORT_POWERLOSS_H

/*
 * A disk that forgets every byte that was not synced: what its two halves agree on.
 *
 * powerloss.c is preloaded into the program under test. It keeps, beside the folder that program
 * works in, what of it would be there after the power failed:
 *
 *     SHADOW/owner            the process that keeps it
 *     SHADOW/data/INO.NUMBER  what is durable of one file: of the working file with that inode
 *     SHADOW/names/INO.NUMBER what is durable of one folder: a line "KIND ID NAME" for each entry
 *     SHADOW/root             the ID of the folder itself
 *
 * powerloss_restore.c makes the working folder what the shadow says, once the program was killed.
 */

#include <stdbool.h>
#include <stdint.h>

#define POWERLOSS_FOLDER "TROUPE_POWERLOSS_DIR"     /* the folder to watch; exists */
#define POWERLOSS_SHADOW "TROUPE_POWERLOSS_SHADOW"  /* for what is durable; not yet there */

#define POWERLOSS_PATH_MAX 1024u

/*
 * Makes `folder` what was durable of it, and removes the shadow: 0, or a negative errno. -ENOENT:
 * the program was killed before it began, and the folder is as it was.
 *
 * With a seed other than 0 the disk may have kept more than it promised: of each file a random
 * beginning of what had been appended since the last sync; or the folder's names as they were.
 */
int powerloss_restore(const char *folder, const char *shadow, uint64_t seed);

#endif
