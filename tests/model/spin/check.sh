#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Checks the Promela models with Spin: safety (assertions, deadlocks) and each property, and that
# each plant is found. Prints a line for each, with the states Spin has seen.
#
#     check.sh CC
#
# Exit: 0 all as it should be, 77 there is no spin.

set -u
command -v spin >/dev/null || exit 77
cc=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
failures=0

# verify MODEL PROPERTY DEFINITIONS: PROPERTY is safety or the name of an ltl; true: it holds.
verify() {
    case $2 in
        safety) made="-DSAFETY -DNOCLAIM"; options="" ;;
        *) made="-DNFAIR=8"; options="-a -f -N $2" ;;
    esac
    # shellcheck disable=SC2086
    spin $3 -a "$here/$1.pml" >log 2>&1 && $cc -O1 -w -DMEMLIM=2048 $made -o pan pan.c >>log 2>&1 &&
        ./pan -m1000000 -w20 $options >>log 2>&1 || return 2
    grep -q 'errors: 0' log && ! grep -q 'max search depth too small' log
}

# demand holds|found MODEL PROPERTY [DEFINITIONS]
demand() {
    verify "$2" "$3" "${4:-}"
    case $1$? in
        holds0 | found1) verdict=ok ;;
        *) verdict=FAILED; failures=$((failures + 1)); tail -20 log ;;
    esac
    states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' log)
    printf '%-10s %-9s %-26s %-6s %s states\n' "$2" "$3" "${4:--}" "$verdict: $1" "$states"
}

demand holds park_wake safety "-DFENCE=0"
demand holds park_wake all_done "-DFENCE=0"
demand holds park_wake safety "-DTHIEVES=1 -DJOBS=3"
demand found park_wake safety "-DHEAVY=0"
for property in safety answered ends not_held; do
    demand holds lifecycle $property
done
demand found lifecycle safety "-DPLANT=1"
demand found lifecycle answered "-DPLANT=2"
demand found lifecycle safety "-DPLANT=3"
demand found lifecycle safety "-DPLANT=4"
demand found lifecycle safety "-DPLANT=5"

exit $((failures > 0))
