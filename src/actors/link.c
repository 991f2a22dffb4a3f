/* SPDX-License-Identifier: BSD-2-Clause */

/* The verbs about other actors' ends: links, monitors, watches, exits, traps; and tr_fail. */

#include <errno.h>

#include "actors/bond.h"
#include "actors/deliver.h"
#include "actors/lifecycle.h"
#include "actors/notice.h"

int tr_link(tr_self *self, tr_ref actor)
{
    int error = tri_self_check(self);
    uint64_t token;

    if (error < 0 || tr_ref_equal(actor, tri_self_ref(self))
        || tri_bond_has(self, TRI_BOND_LINK, actor))
        return error;
    return tri_bond_make(self, TRI_BOND_LINK, actor, &token);
}

int tr_unlink(tr_self *self, tr_ref actor)
{
    int error = tri_self_check(self);

    if (error == 0)
        /* Two actors that link with each other at the same time have made two. */
        while (tri_bond_close_with(self, TRI_BOND_LINK, actor))
            continue;
    return error;
}

int tr_trap(tr_self *self, bool on)
{
    int error = tri_self_check(self);

    if (error == 0)
        tri_actor_set_trap(self->actor, on);
    return error;
}

int tr_monitor(tr_self *self, tr_ref actor, tr_token *ret_monitor)
{
    int error = tri_self_check(self);
    uint64_t token = 0;

    if (error < 0)
        return error;
    /* An actor does not outlive itself: there would be nobody to tell. */
    if (!tr_ref_equal(actor, tri_self_ref(self)))
        error = tri_bond_make(self, TRI_BOND_MONITOR, actor, &token);
    if (error == 0 && ret_monitor != NULL)
        ret_monitor->bits = token;
    return error;
}

int tr_demonitor(tr_self *self, tr_token monitor, bool flush)
{
    int error = tri_self_check(self);

    return error < 0 ? error : tri_bond_unmake(self, TRI_BOND_MONITOR, monitor.bits, flush);
}

int tr_watch(tr_self *self, tr_ref actor, tr_token *ret_watch)
{
    int error = tri_self_check(self);
    uint64_t token = 0;

    if (error < 0)
        return error;
    if (!tr_ref_equal(actor, tri_self_ref(self)))
        error = tri_bond_make(self, TRI_BOND_WATCH, actor, &token);
    if (error == 0 && ret_watch != NULL)
        ret_watch->bits = token;
    return error;
}

int tr_unwatch(tr_self *self, tr_token watch)
{
    int error = tri_self_check(self);

    return error < 0 ? error : tri_bond_unmake(self, TRI_BOND_WATCH, watch.bits, true);
}

/* ---- exits ---------------------------------------------------------------------------------- */

static int check_reason(const tr_reason *reason)
{
    return reason == NULL || (unsigned)reason->kind > TR_LOST ? -EINVAL : 0;
}

int tr_self_exit(tr_self *self, tr_ref actor, const tr_reason *reason)
{
    int error = tri_self_check(self);

    if (error == 0)
        error = check_reason(reason);
    return error < 0 ? error : tri_exit_send(self->system, self, actor, reason);
}

int tr_system_exit(tr_system *sys, tr_ref actor, const tr_reason *reason)
{
    int error = check_reason(reason);

    if (error == 0)
        error = tri_system_enter(sys);
    if (error < 0)
        return error;
    error = tri_exit_send(sys, NULL, actor, reason);
    tri_system_leave(sys);
    return error;
}

int tr_fail(tr_self *self, int code, const char *text)
{
    if (code >= 0)
        code = -EINVAL;
    if (tri_self_check(self) == 0) {
        tri_reason_set(&self->reason, TR_ERROR, code, text);
        self->fate |= TRI_FATE_FAILED;
    }
    return code;
}
