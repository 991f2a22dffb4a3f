#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# headers.sh SOURCE WORK: every installed header compiles alone, as C11 and as C++17, with both
# compilers and all warnings.

set -eu
include=$2/prefix/include
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only"
count=0

for header in "$include"/troupe/*.h; do
    name=${header#"$include/"}
    for compiler in gcc clang; do
        # The second inclusion must add nothing.
        printf '#include <%s>\n#include <%s>\nint used;\n' "$name" "$name" |
            $compiler -x c -std=c11 $warnings -Wstrict-prototypes -I "$include" -
    done
    for compiler in g++ clang++; do
        printf '#include <%s>\n#include <%s>\nint used;\n' "$name" "$name" |
            $compiler -x c++ -std=c++17 $warnings -I "$include" -
    done
    count=$((count + 1))
done
echo "$count headers"
[ "$count" -gt 5 ]
