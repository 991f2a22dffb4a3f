/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_NOTICE_H
#define TRI_ACTORS_NOTICE_H

/*
 * What travels in the urgent lane: the header of a message, embedded in the record that it is
 * about. Its tag, from the library's own protocol, says which.
 */

#include <stdint.h>

#include <troupe/actor.h>

enum tri_notice {
    TRI_NOTICE_BOND_OPEN = 64,  /* struct tri_bond: bond.c */
    TRI_NOTICE_BOND_CLOSE,
    TRI_NOTICE_EXIT,            /* a message of tr_exited, sent by tr_exit or a link: bond.c */
    TRI_NOTICE_WAITING,         /* struct tri_pause: pause.c */
    TRI_NOTICE_RESTART,         /* struct tri_child, to the child */
    TRI_NOTICE_CHILD_STARTED,   /* struct tri_child, to its supervisor */
    TRI_NOTICE_CHILD_ENDED,     /* and waits to be restarted */
    TRI_NOTICE_CHILD_GONE,      /* ended for good */
};

/* Messages of the runtime's own actors, in the user lane. */
enum {
    TRI_TAG_ASKER_BEGIN = 96,
    TRI_TAG_SUSPENDER_LIMIT,
    TRI_TAG_SCRIPT_ACT,
};

#endif
