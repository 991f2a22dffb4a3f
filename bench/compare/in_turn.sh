#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Compares two builds of troupe-bench by running them in turn, so that what else the machine does
# hits both alike. Prints, for each workload, both medians and bests and their ratios.
#
#     bench/compare/in_turn.sh OLD NEW [--rounds N] [--workers N] [NAME...]
#
# OLD and NEW are troupe-bench executables. A round runs each workload once in both.
set -eu

usage() {
    sed -n 's/^# \{0,1\}//; 3,9p' "$0" >&2
    exit 2
}

[ $# -ge 2 ] && [ -x "$1" ] && [ -x "$2" ] || usage
old=$1 new=$2 rounds=7 workers=1
shift 2
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=${2:?} && shift 2 ;;
        --workers) workers=${2:?} && shift 2 ;;
        -*) usage ;;
        *) break ;;
    esac
done
[ $# -gt 0 ] || set -- $("$new" --list | cut -d' ' -f1)

ns_of() { # executable name: the time of one operation in one run
    "$1" --json --runs 1 --workers "$workers" "$2" | sed 's/.*"ns_per_op":\([0-9.]*\).*/\1/'
}

middle_and_least() { # of the numbers on stdin
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1] }'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
printf '%-15s %10s %10s %7s   %10s %10s %7s\n' name 'old' 'new' ratio 'old best' 'new best' ratio
for name in "$@"; do
    : > "$work/old" && : > "$work/new"
    i=0
    while [ $i -lt "$rounds" ]; do
        ns_of "$old" "$name" >> "$work/old"
        ns_of "$new" "$name" >> "$work/new"
        i=$((i + 1))
    done
    echo "$name $(middle_and_least < "$work/old") $(middle_and_least < "$work/new")" |
        awk '{ printf "%-15s %10.2f %10.2f %7.3f   %10.2f %10.2f %7.3f\n",
               $1, $2, $4, $4 / $2, $3, $5, $5 / $3 }'
done
