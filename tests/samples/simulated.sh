#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# simulated.sh BUILD: each sample prints what is written beside it under every seed, and the same
# seed gives the same hash twice.

set -eu
build=${1:?usage: simulated.sh BUILD}
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
tested=0

for expected in "$here"/../../samples/[0-9][0-9]_*.exp; do
    name=$(basename "$expected" .exp)
    program=$build/samples/$name
    [ -x "$program" ] || continue
    for seed in 1 2 3 4 5 6 7 8 1,strategy=pct:3 2,strategy=pct:3 0,strategy=first; do
        for run in 1 2; do
            TROUPE_SIM=$seed timeout 30 "$program" >"$work/out" 2>"$work/err.$run" || {
                echo "$name: TROUPE_SIM=$seed: ended with $?"
                failed=1
            }
            cmp -s "$work/out" "$expected" || {
                echo "$name: TROUPE_SIM=$seed: printed something else"
                failed=1
            }
            tested=$((tested + 1))
        done
        grep -q ': hash ' "$work/err.1" || { echo "$name: TROUPE_SIM=$seed: no hash"; failed=1; }
        grep ': hash ' "$work/err.1" >"$work/first" || true
        grep ': hash ' "$work/err.2" | cmp -s - "$work/first" || {
            echo "$name: TROUPE_SIM=$seed: the same seed gave another hash"
            failed=1
        }
    done
done
[ "$tested" -gt 0 ] || { echo "no samples were there"; exit 77; }
exit $failed
