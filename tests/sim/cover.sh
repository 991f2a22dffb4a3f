#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# cover.sh BUILD: runs the town under seeds with faults. Whatever strikes, its books balance; a
# seed gives the same hash twice; and together the runs hit each fault 1000 times and each edge of
# the lifecycle, and each policy, 100 times. Prints the table.

set -eu
build=${1:?usage: cover.sh BUILD}
program=$build/tests/sim/sim_town
[ -x "$program" ] || { echo "no town was built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
faults=crash=0.02,crash@tr_failed=0.2,drop=0.03,delay=0.04,delay@town_put=0.25,alloc=0.05
faults=$faults,stall=0.01,jump=0.005

# run OPTIONS: one run, whose rows are added to the others.
run() {
    TROUPE_SIM=$1,cover timeout 60 "$program" >"$work/out" 2>"$work/err" || {
        echo "TROUPE_SIM=$1 $program: ended with $?"
        grep -v '^troupe: covered' "$work/err" | tail -n 3
        failed=1
    }
    grep '^troupe: covered' "$work/err" >>"$work/rows"
}

seed=0
while [ $seed -lt 1500 ]; do
    seed=$((seed + 1))
    run "$seed,$faults"
    [ $((seed % 20)) -ne 0 ] || run "$seed,$faults,strategy=pct:3"
    [ $((seed % 20)) -eq 0 ] || continue
    for file in first second; do
        TROUPE_SIM=$seed,$faults "$program" 2>&1 | grep ': hash ' >"$work/$file" || true
    done
    [ -s "$work/first" ] && cmp -s "$work/first" "$work/second" || {
        echo "TROUPE_SIM=$seed,$faults $program: the same seed gave another hash"
        failed=1
    }
done

# A message for an earlier life of its slot needs two threads at once: no seed has one.
awk '
{ count = $3; $1 = $2 = $3 = ""; sub(/^ +/, ""); sum[$0] += count }
END {
    for (row in sum) {
        least = row ~ /^(crash|drop|delay|alloc|stall|jump)$/ ? 1000 : 100
        if (row == "dead letter: for an earlier life") least = 0
        printf "%9d  %s%s\n", sum[row], row, sum[row] < least ? "   TOO FEW" : ""
        rows++
    }
    if (rows < 30) print "rows are missing: TOO FEW"
}' "$work/rows" | sort -k 2 | tee "$work/table"
! grep -q 'TOO FEW' "$work/table" || failed=1
exit $failed
