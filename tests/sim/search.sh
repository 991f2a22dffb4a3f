#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# search.sh BUILD: a bug of order that no plain run shows is found by seeds, made small, and
# repeated from a file; exhaustive search finds one too, and says when there is none. Files that
# make no sense are refused. Then the seeds that failed once.

set -eu
build=${1:?usage: search.sh BUILD}
here=$(dirname "$0")
program=$build/tests/sim/sim_stale_cache
small=$build/tests/sim/sim_overtaken
[ -x "$program" ] && [ -x "$small" ] || { echo "no program was built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "$*"; exit 1; }

for run in 1 2 3 4 5 6 7 8 9 10; do
    "$program" || fail "a plain run fails: $run"
done

sh "$here/../../tools/sim_seeds" --first 1 --seeds 50 "$program" >"$work/found" && fail "no seed"
seed=$(sed -n '1s/^TROUPE_SIM=\([0-9]*\) .*/\1/p' "$work/found")
[ -n "$seed" ] || fail "no command that repeats it"

# Recorded and repeated, the run is the same.
TROUPE_SIM=$seed,record=$work/recording "$program" 2>"$work/first" && fail "did not fail"
TROUPE_SIM=replay=$work/recording "$program" 2>"$work/second" && fail "was not repeated"
grep -q 'replayed: the same run' "$work/second" || fail "a recording gives another run"
grep -v 'replayed:' "$work/second" | cmp "$work/first" - || fail "a recording gives another run"

# A failure after 10 000 steps is made small: a dozen decisions, fewer than 50 steps.
TROUPE_SIM=1 "$program" 5000 2>"$work/long" && fail "seed 1 does not fail"
steps=$(sed -n 's/.*, \([0-9]*\) steps, .*/\1/p' "$work/long")
[ "$steps" -ge 10000 ] || fail "seed 1 fails after $steps steps already"
TROUPE_SIM=1,shrink=$work/replay "$program" 5000 2>"$work/shrunk" || fail "was not made small"
cat "$work/shrunk" "$work/replay"
TROUPE_SIM=replay=$work/replay "$program" 5000 2>"$work/small" && fail "small, it does not fail"
grep -q 'replayed: the same run' "$work/small" || fail "the replay has another hash"
steps=$(sed -n 's/.*, \([0-9]*\) steps, .*/\1/p' "$work/small")
[ "$steps" -lt 50 ] || fail "$steps steps"
[ "$(grep -c : "$work/replay")" -le 2 ] || fail "still many decisions"

TROUPE_SIM=1,shrink=$work/none "$small" any 2>"$work/none.err" && fail "shrunk what does not fail"

# Exhaustive: one message overtakes another with a single deviation; what may be is no bug.
TROUPE_SIM=0 "$small" any || fail "fails without a bug"
TROUPE_SIM=0,strategy=first "$small" || fail "oldest first fails"
TROUPE_SIM=0,strategy=exhaustive:1,shrink=$work/all "$small" 2>"$work/all.err" &&
    fail "exhaustive search finds nothing"
cat "$work/all.err"
TROUPE_SIM=replay=$work/all "$small" 2>"$work/again" && fail "what it found is not repeated"
grep -q 'replayed: the same run' "$work/again" || fail "what it found has another hash"
TROUPE_SIM=0,strategy=exhaustive:1 "$small" any 2>"$work/none" || fail "found what is not there"
cat "$work/none"
grep -q ' all [0-9]* runs with up to 1 ' "$work/none" || fail "not all"

# refused WHAT PATTERN FILE PROGRAM: status 64, and a reason that says where and why.
refused() {
    status=0
    TROUPE_SIM=replay=$3 "$4" 2>"$work/refused" || status=$?
    [ $status -eq 64 ] && grep -q "$2" "$work/refused" || {
        cat "$work/refused"
        fail "$1: status $status"
    }
}
echo nothing >"$work/bad"
refused "another file" 'line 1: neither' "$work/bad" "$program"
head -n 4 "$work/replay" >"$work/bad"
refused "cut short" 'line 5: .*cut short' "$work/bad" "$program"
sed '5s/:1/:2/' "$work/replay" >"$work/bad"
refused "damaged" 'line 6: .*damaged' "$work/bad" "$program"
sed '4s/steps/stops/' "$work/replay" >"$work/bad"
refused "a strange line" 'line 4: ' "$work/bad" "$program"
head -c 200 "$work/recording" >"$work/bad"
refused "a recording cut short" 'cut short' "$work/bad" "$program"
refused "no file" 'No such file' "$work/nowhere" "$program"
refused "another program" 'recorded by .*sim_stale_cache.*sim_overtaken' "$work/replay" "$small"

grep -v '^#' "$here/kept_seeds" | while read -r name simulated; do
    kept=$build/tests/sim/sim_$name
    TROUPE_SIM=$simulated,quiet timeout 60 "$kept" >/dev/null 2>"$work/kept" || {
        echo "TROUPE_SIM=$simulated sim_$name: ended with $?"
        cat "$work/kept"
        exit 1
    }
done
