/* SPDX-License-Identifier: BSD-2-Clause */

/* The functions alone, as C++ and other languages see them. */

#include <cstdio>
#include <cstring>

#include <troupe/troupe.h>

int main()
{
    tr_system *sys = nullptr;
    int err = tr_system_open(nullptr, &sys);

    if (err == 0)
        err = tr_system_stop(sys, TR_SEC(5));
    if (err != 0 || std::strlen(tr_strerror(0)) == 0)
        return 1;
    std::puts(TR_VERSION);
    return 0;
}
