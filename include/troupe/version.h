/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_VERSION_H
#define TROUPE_VERSION_H

/* Read by CMake: the one place where the version stands. */
#define TR_VERSION_MAJOR 0
#define TR_VERSION_MINOR 1
#define TR_VERSION_PATCH 0
#define TR_VERSION "0.1.0"

#endif
