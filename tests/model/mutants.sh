#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Weakens one named memory order at a time, in a copy of each modelled source, and lets the explorer
# look for what breaks, in the memory of weak.c: an acquire or a release is dropped, and of a
# read-modify-write's two the one or the other.
#
#     mutants.sh CC [EXPLORER]
#
# A mutant that survives stands in mutants.txt, where the reason is given; anything else fails.
# Exit: 0 all are killed or listed.

set -u
cc=$1
only=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
flags="-std=c11 -O1 -D_GNU_SOURCE -w -ffunction-sections"
includes="-I$work/mutant -I$here/include -I$here -I$root/src -I$root/include -I$root/tests"
killed=0
listed=0
failures=0

# sites FILE: each as LINE NAME, one a line; a name stands for one place of its line.
sites() {
    both='(cas|exchange|fetch_add|fetch_sub|and|or)_acq_rel'
    grep -noE "tri_(load_acquire|store_release|$both)" "$1"
}

# weakenings NAME: what it becomes.
weakenings() {
    case $1 in
        *_acq_rel) echo "${1%acq_rel}acquire ${1%acq_rel}release" ;;
        *) echo "${1%_*}_relaxed" ;;
    esac
}

# try EXPLORER: 0 killed.
try() {
    sources=
    for path in $(sed -n 's,^/\* sources: \(.*\) \*/$,\1,p' "$here/$1.c"); do
        for folder in "$work/mutant" "$here" "$root/src"; do
            [ -f "$folder/$path" ] && break
        done
        sources="$sources $folder/$path"
    done
    # shellcheck disable=SC2086
    $cc $flags $includes "$here/$1.c" $sources -Wl,--gc-sections -o "$work/explorer" -lpthread ||
        return 2
    timeout 60 "$work/explorer" --weak --random "$2" >"$work/output" 2>&1
    grep -q FOUND "$work/output"
}

# The function in which a line of a file stands.
function_at() {
    sed -n "1,$2p" "$1" | grep -E '^(static |TRI_COLD |__attribute__.*|[a-z]).*\(' |
        grep -v ';$' | tail -1 | sed -E 's/.*[ *]([a-z_]+)\(.*/\1/'
}

mutate() {
    explorer=$1
    file=$2
    count=$3
    original=$root/src/$file
    for site in $(sites "$original"); do
        line=${site%%:*}
        name=${site#*:}
        for weaker in $(weakenings "$name"); do
            rm -rf "$work/mutant"
            mkdir -p "$work/mutant/$(dirname "$file")"
            sed "${line}s/$name/$weaker/" "$original" >"$work/mutant/$file"
            what="$file $(function_at "$original" "$line") $weaker"
            if try "$explorer" "$count"; then
                killed=$((killed + 1))
                echo "killed    $what"
            elif grep -qF "$what:" "$here/mutants.txt" 2>/dev/null; then
                listed=$((listed + 1))
                echo "listed    $what"
            else
                failures=$((failures + 1))
                echo "SURVIVED  $what ($explorer)"
            fi
        done
    done
}

while read -r explorer count files; do
    [ -z "$only" ] || [ "$only" = "$explorer" ] || continue
    for file in $files; do
        mutate "$explorer" "$file" "$count"
    done
done <<'LIST'
lane 3000 mailbox/lane.c mailbox/urgent.c
run_queue 10000 sched/run_queue.h sched/run_queue.c
lifo_slot 10000 sched/lifo_slot.h sched/lifo_slot.c
idle 3000 sched/idle.c sched/park.c sched/quiet.c
depot 3000 base/spin.h
slot 5000 actors/slot.h actors/slot.c
gate 3000 actors/system.c
LIST

echo "$killed mutants killed, $listed survive with a reason, $failures without"
[ "$failures" -eq 0 ]
