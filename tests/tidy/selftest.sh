#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# selftest.sh TIDY_FOLDER: shows that layers.sh and tidy.sh see what they forbid.
#
# Each case plants one fault in a small tree that is otherwise clean, and expects it to be named.

set -eu
here=$(cd "${1:?usage: selftest.sh TIDY_FOLDER}" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cases=0
failed=0

SPDX='/* SPDX-License-Identifier: BSD-2-Clause */'

clean_tree() {
    rm -rf "$tree/src" "$tree/include" "$tree/samples" "$tree/bench" "$tree/tests"
    for folder in src/base src/mailbox src/sched src/actors src/io include/troupe samples tests; do
        mkdir -p "$tree/$folder"
        printf '%s\n\n#include <stdint.h>\n' "$SPDX" >"$tree/$folder/clean.h"
    done
}

# expect CHECK FILE WORDS TEXT: CHECK must name FILE, which holds TEXT, and say WORDS.
expect() {
    cases=$((cases + 1))
    clean_tree
    printf '%b' "$4" >"$tree/$2"
    if found=$(sh "$here/$1" "$tree"); then
        echo "$1 passed: $2 ($3)"
        failed=$((failed + 1))
    elif ! printf '%s\n' "$found" | grep -q "^$2.*$3"; then
        printf '%s: expected "%s", found:\n%s\n' "$1" "$3" "$found"
        failed=$((failed + 1))
    fi
}

layer() { expect layers.sh "$1" "$2" "$SPDX\n#include $3\n"; }
tidy() { expect tidy.sh "$1" "$2" "$SPDX\n$3"; }

clean_tree
for check in layers.sh tidy.sh; do
    cases=$((cases + 1))
    sh "$here/$check" "$tree" || failed=$((failed + 1))
done

layer src/base/a.c     'base must not see mailbox'    '"mailbox/lane.h"'
layer src/base/a.h     'base must not see actors'     '"actors/slot.h"'
layer src/mailbox/a.c  'mailbox must not see sched'   '"sched/task.h"'
layer src/sched/a.c    'sched must not see mailbox'   '"mailbox/lane.h"'
layer src/actors/a.c   'actors must not see io'       '"io/loop.h"'
layer src/actors/a.c   'only src/io sees libuv'       '<uv.h>'
layer src/mailbox/a.c  'only base/ck.h sees ck'       '<ck_pr.h>'
layer src/base/pool.c  'only base/ck.h sees ck'       '<ck_ring.h>'
layer src/sched/a.c    'atomics go through'           '<stdatomic.h>'
layer src/mailbox/a.c  'write it as'                  '"lane.h"'
layer src/mailbox/a.c  'write it as'                  '"../base/ck.h"'
layer include/troupe/a.h 'only the three'             '<stdio.h>'
layer include/troupe/a.h 'only base/ck.h sees ck'     '<ck_pr.h>'
layer include/troupe/a.h 'only the three'             '"base/ck.h"'
layer samples/a.c      'public headers only'          '"base/ck.h"'

long_line=$(printf '%0101d' 0)
tidy src/base/a.c   'columns'         "/* $long_line */\\n"
tidy tests/a.c      'a tab'           'int a;\t\n'
tidy src/base/a.c   'space at the end' 'int a; \n'
tidy src/base/a.c   'no newline'      'int a;'
tidy src/base/a.c   'mark for later'  "/* T""ODO: later */\\n"
tidy src/sched/a.c  'memory comes'    'int f(void)\n{\n    return malloc(3) != 0;\n}\n'
tidy src/sched/a.c  'not allowed'     'int f(void)\n{\n    strcpy(a, b);\n}\n'
tidy src/sched/a.c  'atomics stand'   'int f(void)\n{\n    __atomic_load_n(p, 0);\n}\n'
tidy src/sched/a.c  'atomics stand'   'int f(void)\n{\n    ck_pr_load_64(p);\n}\n'
tidy src/sched/a.c  'not assert'      'int f(void)\n{\n    assert(p);\n}\n'
tidy src/base/a.c   'more than 70'    "int f(void)\\n{\\n$(printf '    g();\\n%.0s' $(seq 71))}\\n"
tidy src/base/a.c   'more than 700'   "$(printf 'int a;\\n%.0s' $(seq 700))"
tidy src/base/a.c   'what it is'      "$(printf 'int a;\\n%.0s' $(seq 100))"
tidy src/base/a.c   'no prologue'     "/* A file. */\\n$(printf 'int a;\\n%.0s' $(seq 200))"
expect tidy.sh src/base/a.c 'no SPDX' 'int a;\n'

echo "$cases cases, $failed failed"
[ "$failed" -eq 0 ]
