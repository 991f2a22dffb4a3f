/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <pthread.h>

#include "base/spin.h"

static struct tri_spin spin = TRI_SPIN_FREE;
static int guarded;

Test(spin, a_try_fails_while_it_is_taken)
{
    cr_assert(tri_spin_try(&spin));
    cr_assert_not(tri_spin_try(&spin));
    tri_spin_unlock(&spin);
    cr_assert(tri_spin_try(&spin));
    tri_spin_unlock(&spin);
}

enum { THREADS = 4, EACH = 20000 };

static void *add(void *context)
{
    (void)context;
    for (int i = 0; i < EACH; i++) {
        tri_spin_lock(&spin);
        guarded++;
        tri_spin_unlock(&spin);
    }
    return NULL;
}

Test(spin, one_at_a_time)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, add, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(guarded, THREADS * EACH);
}
