/* SPDX-License-Identifier: BSD-2-Clause */

#include "base/thread.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/memory.h"

_Thread_local struct tri_thread *tri_thread_current __attribute__((tls_model("initial-exec")));
_Thread_local void *tri_thread_running __attribute__((tls_model("initial-exec"))) =
    TRI_THREAD_RUNS_NOTHING;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_was_made;

/* Runs when the thread ends. What other destructors do later makes a new record, and libpthread
 * calls here again. */
static void give_back(void *record)
{
    struct tri_thread *thread = record;

    tri_thread_current = NULL;
    for (unsigned i = 0; i < TRI_POOL_CLASSES; i++)
        tri_pool_cache_empty(&thread->pool[i], i);
    tri_free(thread);
}

static void make_key(void)
{
    key_was_made = pthread_key_create(&key, give_back) == 0;
}

TRI_COLD struct tri_thread *tri_thread_make(void)
{
    pthread_once(&key_once, make_key);
    if (!key_was_made)
        return NULL;

    struct tri_thread *thread = tri_alloc_aligned(TRI_CACHE_LINE, sizeof(*thread));
    if (thread == NULL)
        return NULL;
    *thread = (struct tri_thread){ .worker = NULL };
    if (pthread_setspecific(key, thread) != 0) {
        tri_free(thread);
        return NULL;
    }
    tri_thread_current = thread;
    return thread;
}

__attribute__((noinline)) struct tri_thread *tri_thread_again(void)
{
    __asm__ volatile("" ::: "memory");
    return tri_thread_self();
}
