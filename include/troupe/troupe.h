/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TROUPE_TROUPE_H
#define TROUPE_TROUPE_H

/* The whole contract, in reading order. <troupe/io.h> is a library of its own. */
#include <troupe/version.h>
#include <troupe/types.h>
#include <troupe/error.h>
#include <troupe/message.h>
#include <troupe/actor.h>
#include <troupe/ask.h>
#include <troupe/timer.h>
#include <troupe/supervise.h>
#include <troupe/system.h>

#endif
