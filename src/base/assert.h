/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TRI_BASE_ASSERT_H
#define TRI_BASE_ASSERT_H

/*
 * What must hold inside the library. Misuse of the public interface is no matter of these: it gets
 * an error back.
 *
 *     tri_assert(x)   cheap; on in every build but release
 *     tri_audit(x)    looks at whole structures; on in the audit build
 *
 * Both evaluate `x` only where they are on: it has no effects.
 */

/* Says what failed on stderr and aborts. */
_Noreturn void tri_assert_failed(const char *file, int line, const char *expression);

#define TRI_CHECK_ON(x)  ((x) ? (void)0 : tri_assert_failed(__FILE__, __LINE__, #x))
#define TRI_CHECK_OFF(x) ((void)sizeof(!(x)))

#ifdef TRI_RELEASE
#define tri_assert(x) TRI_CHECK_OFF(x)
#else
#define tri_assert(x) TRI_CHECK_ON(x)
#endif

#ifdef TRI_AUDIT
#define tri_audit(x) TRI_CHECK_ON(x)
#else
#define tri_audit(x) TRI_CHECK_OFF(x)
#endif

#endif
