#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Weakens one named memory order at a time, in a copy of its source, and looks for what breaks: an
# acquire or a release is dropped, of a read-modify-write's two the one or the other, and fences.
#
#     mutants.sh [--all] CC [GROUP [BUILD]]
#
# mutants_of.txt says which source is weakened under what: by an explorer in the memory of weak.c,
# or by programs built with ThreadSanitizer in BUILD. A mutant that survives stands in mutants.txt,
# with the reason. Those are tried with --all only, which takes minutes: one that is killed is no
# survivor, and fails. GROUP: an explorer's name, tsan, or complete, which tries nothing: every
# source with a named order has a way to be checked, and every survivor is still there.
#
# Exit: 0 all are killed or listed, 77 without a build for ThreadSanitizer.

set -u
tries_all=no
[ "$1" = --all ] && { tries_all=yes; shift; }
cc=$1
group=${2:-}
build=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
survivors=$here/mutants.txt
killed=0
listed=0
failures=0

. "$here/compile.sh"

fail() {
    failures=$((failures + 1))
    echo "$*"
}

# ---- what can be weakened ----

BOTH='(cas|exchange|fetch_add|fetch_sub|and|or)_acq_rel'
NAMES="tri_(load_acquire|store_release|$BOTH|fence_(full|heavy|light))"

# places FILE: each named order as LINE:NTH:NAME, the nth of its name in the line.
places() {
    grep -nE "$NAMES" "$1" |
        grep -vE '^[0-9]+: *(/?\*|static inline |void )' |
        sed -E 's,/\*.*,,' | awk -F: -v names="$NAMES" '{
            rest = substr($0, length($1) + 2)
            split("", seen)
            while (match(rest, names)) {
                name = substr(rest, RSTART, RLENGTH)
                print $1 ":" ++seen[name] ":" name
                rest = substr(rest, RSTART + RLENGTH)
            }
        }'
}

# weakenings NAME: what it becomes.
weakenings() {
    case $1 in
        *_acq_rel) echo "${1%acq_rel}acquire ${1%acq_rel}release" ;;
        *fence*) echo "no_${1#tri_}" ;;
        *) echo "${1%_*}_relaxed" ;;
    esac
}

# The function in which a line of a file stands.
function_at() {
    sed -n "1,$2p" "$1" | grep -E '^(static |TRI_COLD |__attribute__.*|[a-z]).*\(' |
        grep -v ';$' | tail -1 | sed -E 's/.*[ *]([a-z_]+)\(.*/\1/'
}

# mutants_of FILE: each as LINE PLACE NAME WEAKER FUNCTION[:NUMBER]; the second of a kind in one
# function has the number 2, and so on.
mutants_of() {
    for place in $(places "$root/src/$1"); do
        line=${place%%:*}
        name=${place##*:}
        nth=${place#*:}
        function=$(function_at "$root/src/$1" "$line")
        for weaker in $(weakenings "$name"); do
            echo "$line ${nth%:*} $name $weaker $function"
        done
    done | awk '{ n = ++seen[$4 " " $5]; print (n > 1 ? $0 ":" n : $0) }'
}

# change FILE LINE NTH NAME WEAKER: makes the weakened copy.
change() {
    rm -rf "$work/changed"
    mkdir -p "$work/changed/$(dirname "$1")"
    case $5 in
        no_*) script="$2s/$4()/(void)0/$3" ;;
        *) script="$2s/$4/$5/$3" ;;
    esac
    sed "$script" "$root/src/$1" >"$work/changed/$1"
    ! cmp -s "$work/changed/$1" "$root/src/$1"
}

# ---- what looks for it ----

# by_explorer FILE COUNT EXPLORER[:MODEL]...: 0 killed. MODEL: the beginning of models' names.
by_explorer() {
    file=$1
    count=$2
    shift 2
    for explorer in "$@"; do
        compile "${explorer%:*}" "$file" || return 2
        models=${explorer#"${explorer%:*}"}
        # shellcheck disable=SC2086
        timeout 100 "$work/explorer" --weak --random "$count" ${models#:} >"$work/output" 2>&1
        grep -q FOUND "$work/output" && return 0
    done
    return 1
}

# by_tsan FILE PROGRAM...: the object is put in front of the library that has the original.
by_tsan() {
    file=$1
    shift
    ninja -C "$build" -t commands >"$work/commands"
    grep -m 1 -E " -c [^ ]*/src/$file\$" "$work/commands" |
        sed -E "s, -M(D|T [^ ]+|F [^ ]+),,g; s, -o [^ ]+, -w -o $work/mutant.o,
            s, -c [^ ]+, -c $work/changed/$file," >"$work/command"
    (cd "$build" && sh "$work/command") >"$work/output" 2>&1 || return 2
    for program in "$@"; do
        ninja -C "$build" -t commands "$program" | tail -n 1 |
            sed -E "s, -o [^ ]+, $work/mutant.o -o $work/program," >"$work/command"
        (cd "$build" && sh "$work/command") >"$work/output" 2>&1 || return 2
        TSAN_OPTIONS=halt_on_error=1:exitcode=66:atexit_sleep_ms=0 \
            timeout 100 setarch -R "$work/program" >"$work/output" 2>&1
        [ $? -ne 0 ] && return 0
    done
    return 1
}

# try WAY FILE ARGUMENT...: tries all mutants of a file.
try() {
    way=$1
    file=$2
    shift 2
    mutants_of "$file" >"$work/mutants"
    while read -r line nth name weaker function <&3; do
        what="$file $function $weaker"
        is_listed=no
        grep -qF "$what: " "$survivors" && is_listed=yes
        [ "$is_listed$tries_all" = yesno ] && continue
        change "$file" "$line" "$nth" "$name" "$weaker" || { fail "UNCHANGED $what"; continue; }
        "by_$way" "$file" "$@"
        case $?$is_listed in
            0no) killed=$((killed + 1)); echo "killed    $what" ;;
            0yes) fail "LISTED    $what: but it is killed" ;;
            1no) fail "SURVIVED  $what ($way $*)" ;;
            1yes) listed=$((listed + 1)); echo "listed    $what" ;;
            *) fail "BROKEN    $what: does not compile"; tail -n 5 "$work/output" ;;
        esac
    done 3<"$work/mutants"
}

# ---- whether anything is left out ----

complete() {
    (cd "$root/src" && find . -name '*.[ch]' | sed 's,^\./,,' | grep -v '^base/ck' | sort) |
    while read -r file; do
        mutants_of "$file" | sed "s,^,$file ,"
    done >"$work/all"
    for file in $(cut -d ' ' -f 1 "$work/all" | sort -u); do
        grep -qE "^$file " "$here/mutants_of.txt" ||
            fail "$file: has a named order, and mutants_of.txt does not say what checks it"
    done
    awk '{ print $1, $6, $5 ":" }' "$work/all" >"$work/names"
    while read -r file function weaker reason; do
        case $file in
            '#') continue ;;
        esac
        grep -qxF "$file $function $weaker" "$work/names" ||
            fail "mutants.txt: there is no $file $function $weaker any more"
        [ -n "$reason" ] || fail "mutants.txt: no reason for $file $function $weaker"
    done <"$survivors"
    echo "$(wc -l <"$work/all") mutants of $(cut -d ' ' -f 1 "$work/all" | sort -u | wc -l) sources"
}

[ "$group" = complete ] && { complete; [ "$failures" -eq 0 ]; exit; }
if [ "$group" = tsan ] && [ ! -f "$build/build.ninja" ]; then
    echo "no build for ThreadSanitizer"
    exit 77
fi

while read -r file way arguments <&4; do
    case $way in
        explorer) explorers=${arguments#* } ;;
        tsan) explorers=tsan ;;
        *) continue ;;
    esac
    explorers=${explorers%% *}
    [ -z "$group" ] || [ "$group" = "${explorers%:*}" ] || continue
    [ "$way" = tsan ] && [ -z "$build" ] && continue
    # shellcheck disable=SC2086
    try "$way" "$file" $arguments
done 4<"$here/mutants_of.txt"

echo "$killed mutants killed, $listed survive with a reason, $failures failures"
[ "$failures" -eq 0 ]
