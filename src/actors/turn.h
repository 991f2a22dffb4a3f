/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_ACTORS_TURN_H
#define TRI_ACTORS_TURN_H

#include "actors/actor.h"
#include "actors/lifecycle.h"

/* Runs one turn: what the scheduler calls. */
enum tri_turn tri_turn_run(struct tri_worker *worker, struct tri_task *task);

/* In the place of a message: has its handler, or otherwise, react to `payload`. self->msg is a
 * message of the same description that has been handed over. */
enum tri_next tri_turn_tell(tr_self *self, const tr_message_info *info, const void *payload);

/* Answers, counts and takes back what an ended actor had not handled: a list linked by `next`. */
void tri_turn_discard(tr_self *self, struct tri_message *messages);

#endif
