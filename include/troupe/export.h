/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_EXPORT_H
#define TROUPE_EXPORT_H

/* What a function of the library is marked with; libraries are built with hidden visibility. */
#define TR_API __attribute__((visibility("default")))
#define TR_NODISCARD __attribute__((warn_unused_result))
#define TR_UNUSED __attribute__((unused))

#ifdef __cplusplus
#define TR_BEGIN_DECLS extern "C" {
#define TR_END_DECLS }
#define TR_ALIGNOF(T) alignof(T)
#else
#define TR_BEGIN_DECLS
#define TR_END_DECLS
#define TR_ALIGNOF(T) _Alignof(T)
#endif

#endif
