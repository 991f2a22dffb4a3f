/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <errno.h>
#include <limits.h>

#include <troupe/error.h>

Test(error, both_signs_have_the_name_and_the_sentence)
{
    cr_assert_str_eq(tr_error_name(-ESRCH), "ESRCH");
    cr_assert_str_eq(tr_error_name(ESRCH), "ESRCH");
    cr_assert_str_eq(tr_strerror(-ESRCH), "the actor has ended");
    cr_assert_str_eq(tr_strerror(-ENOBUFS), tr_strerror(ENOBUFS));
}

Test(error, no_error_and_unknown_ones)
{
    cr_assert_str_eq(tr_error_name(0), "0");
    cr_assert_str_eq(tr_strerror(0), "no error");
    cr_assert_str_eq(tr_error_name(INT_MIN), "?");
    cr_assert_str_eq(tr_error_name(INT_MAX), "?");
    cr_assert_str_eq(tr_strerror(-99999), "unknown error");
}

#define CODE(code, sentence) { code, #code, sentence },

static const struct {
    int code;
    const char *name;
    const char *sentence;
} table[] = { TR_ERRORS(CODE) };

/* Two names of one number would hide the second sentence. */
Test(error, every_entry_is_found_by_its_number)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        cr_assert_gt(table[i].code, 0);
        cr_assert_str_eq(tr_error_name(-table[i].code), table[i].name);
        cr_assert_str_eq(tr_strerror(-table[i].code), table[i].sentence);
    }
}

Test(error, what_the_interface_promises_is_there)
{
    int promised[] = { ESRCH,    ENOBUFS, ETIMEDOUT, EDEADLK,   ECONNRESET, ENOMSG, ENOTCONN,
                       ENOTSUP,  EEXIST,  ECANCELED, ESHUTDOWN, EINVAL,     ENOMEM, EMSGSIZE,
                       EAGAIN,   ENOENT,  EPERM,     ENOSPC,    EALREADY,   EIO };

    for (size_t i = 0; i < sizeof(promised) / sizeof(promised[0]); i++)
        cr_assert_str_neq(tr_error_name(-promised[i]), "?");
}
