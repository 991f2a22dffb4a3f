#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# audit.sh BUILD: the town under seeds with the core of the audit build, which looks at the books
# and at the scheduler after each step: nothing is out of order. Then each bug of plants/audit-*.sed
# is planted in a copy of the source that it names, and must be found by an audit.

set -u
build=${1:?usage: audit.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

# setting NAME: what the build was configured with.
setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

cc=$(setting CMAKE_C_COMPILER)
[ -z "$(setting TROUPE_SANITIZE)" ] || { echo "not with a sanitizer"; exit 77; }
[ "$(setting TROUPE_FUZZ)" != ON ] || { echo "not with libFuzzer"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir "$work/objects" "$work/planted"
faults=crash=0.02,crash@tr_failed=0.2,drop=0.03,delay=0.04,alloc=0.05,stall=0.01,quiet

# compile SOURCE OBJECT
compile() {
    $cc -std=c11 -O1 -D_GNU_SOURCE -DTRI_AUDIT -w -I"$root/src" -I"$root/include" -c "$1" -o "$2"
}

# run SEED PROGRAM: its status; what it says is in output.
run() {
    strategy=
    [ $(($1 % 5)) -ne 0 ] || strategy=,strategy=pct:3:1000
    TROUPE_SIM=$1,$faults$strategy timeout 20 "$2" >"$work/output" 2>&1
}

for layer in base sim mailbox sched actors; do
    for source in "$root/src/$layer"/*.c; do
        compile "$source" "$work/objects/$layer-$(basename "$source" .c).o" || exit 1
    done
done
compile "$here/town.c" "$work/objects/town.o" || exit 1
libraries="$(pkg-config --libs ck) -lpthread"
$cc "$work/objects"/*.o $libraries -o "$work/town" || exit 1

seed=1
while [ $seed -le 200 ]; do
    run $seed "$work/town" || {
        echo "TROUPE_SIM=$seed,$faults: without a bug"
        tail -n 3 "$work/output"
        exit 1
    }
    seed=$((seed + 1))
done

# plant FILE: the town with the bug; fails when the script changes nothing.
plant() {
    source=$(sed -n 's/^# file: *//p' "$1")
    object=$(echo "$source" | tr / -)
    sed -E -f "$1" "$root/src/$source" >"$work/planted/copy.c"
    ! cmp -s "$work/planted/copy.c" "$root/src/$source" || return 1
    compile "$work/planted/copy.c" "$work/planted/copy.o" &&
        mv "$work/objects/${object%.c}.o" "$work/planted/kept.o" &&
        $cc "$work/objects"/*.o "$work/planted/copy.o" $libraries -o "$work/planted/town"
    planted=$?
    mv "$work/planted/kept.o" "$work/objects/${object%.c}.o"
    return $planted
}

failed=0
for script in "$here"/plants/audit-*.sed; do
    name=$(basename "$script" .sed)
    plant "$script" || {
        echo "$name: could not be planted: its source has changed"
        failed=1
        continue
    }
    seed=1
    while run $seed "$work/planted/town" && [ $seed -lt 100 ]; do
        seed=$((seed + 1))
    done
    said=$(grep -m 1 -E '(books|simulated|copy)\.c:' "$work/output")
    if [ -n "$said" ]; then
        printf '%-32s seed %d: %s\n' "$name" "$seed" "${said#"$root"/}"
    else
        echo "$name: SURVIVED"
        failed=1
    fi
done
exit $failed
