/* SPDX-License-Identifier: BSD-2-Clause */

#include "support/test.h"

#include <pthread.h>

#include "base/thread.h"

Test(thread, one_record_per_thread)
{
    struct tri_thread *mine = tri_thread_self();

    cr_assert_not_null(mine);
    cr_assert_eq(tri_thread_self(), mine);
    cr_assert_eq(tri_thread_again(), mine);
    cr_assert_null(mine->worker);
}

static void *its_record(void *context)
{
    (void)context;
    return tri_thread_self();
}

Test(thread, another_thread_has_another_one)
{
    struct tri_thread *mine = tri_thread_self();
    pthread_t thread;
    void *other;

    cr_assert_eq(pthread_create(&thread, NULL, its_record, NULL), 0);
    pthread_join(thread, &other);
    cr_assert_neq(other, (void *)mine);
}

static pthread_key_t late;

static void use_the_pool_late(void *block)
{
    (void)block;
    tri_pool_put(tri_thread_self(), TRI_POOL_32, tri_pool_get(tri_thread_self(), TRI_POOL_32));
}

static void *ends_with_a_destructor(void *context)
{
    (void)tri_thread_self();
    pthread_setspecific(late, context);
    return NULL;
}

/* Another key's destructor may run after ours and use the pool: it gets a new record, which is
 * given back as well (AddressSanitizer would tell). */
Test(thread, a_destructor_that_runs_later_may_use_the_pool)
{
    int something = 0;
    pthread_t thread;

    (void)tri_thread_self();  /* its key comes first, so `late` is destroyed after it */
    cr_assert_eq(pthread_key_create(&late, use_the_pool_late), 0);
    cr_assert_eq(pthread_create(&thread, NULL, ends_with_a_destructor, &something), 0);
    pthread_join(thread, NULL);
    pthread_key_delete(late);
}
