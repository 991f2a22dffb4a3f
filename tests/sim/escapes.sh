#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# escapes.sh BUILD: the preloaded library names what a simulated program does behind the back of the
# simulation, and tells nothing of programs that do nothing: every sample, and the town.

set -eu
build=${1:?usage: escapes.sh BUILD}
library=$build/tools/escapes/libtroupe-escapes.so
program=$build/tests/sim/sim_escaping
[ -e "$library" ] && [ -x "$program" ] || { echo "no library was built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "$*"; cat "$work/err"; exit 1; }

# run OPTIONS PROGRAM [WORD]: its status, and what escaped.
run() {
    simulated=$1
    shift
    status=0
    LD_PRELOAD=$library TROUPE_SIM=$simulated timeout 60 "$@" >"$work/out" 2>"$work/err" ||
        status=$?
    grep 'escaped' "$work/err" | sed 's/troupe: escaped the simulation: //' >"$work/escaped" || true
}

run 1 "$program"
[ $status -eq 0 ] || fail "status $status"
cat >"$work/expected" <<TEXT
clock_gettime by look_at_clock ($program), 3 times
usleep by sleep_a_while ($program), 1 time
nanosleep by sleep_a_while ($program), 1 time
pthread_create by start_thread ($program), 1 time
socket by use_sockets ($program), 1 time
write by use_sockets ($program), 1 time
read by use_sockets ($program), 1 time
rand by draw_lots ($program), 1 time
getrandom by draw_lots ($program), 1 time
TEXT
diff "$work/expected" "$work/escaped" || fail "something else was told"

run 1 "$program" quickly
diff "$work/expected" "$work/escaped" || fail "something else was told before _exit"

TROUPE_ESCAPES=fail
export TROUPE_ESCAPES
run 1 "$program"
[ $status -eq 71 ] || fail "escaped, and status $status"
run 1 "$program" quickly
[ $status -eq 71 ] || fail "escaped, and status $status by _exit"
run 1 "$program" nothing
[ $status -eq 0 ] && [ ! -s "$work/escaped" ] || fail "status $status without escapes"
run '' "$program"
[ $status -eq 0 ] && [ ! -s "$work/escaped" ] || fail "status $status without a simulation"

for expected in "$(dirname "$0")"/../../samples/[0-9][0-9]_*.exp; do
    sample=$build/samples/$(basename "$expected" .exp)
    [ -x "$sample" ] || continue
    run 1 "$sample"
    [ $status -eq 0 ] && [ ! -s "$work/escaped" ] || fail "$sample: status $status"
done
run 1,crash=0.01,stall=0.01 "$build/tests/sim/sim_town"
[ $status -eq 0 ] && [ ! -s "$work/escaped" ] || fail "the town: status $status"
