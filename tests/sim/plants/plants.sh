#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Plants each bug of kv-*.sed in a copy of a source of the key-value service and demands that
# the town finds it: a check that finds nothing proves something only if it would have found these.
#
#     plants.sh BUILD [PREFIX]        PREFIX: only plants whose names begin with it
#
# SEEDS: how many are tried (6000). Exit: 0 all found, 1 one survived or could not be planted.

set -u
build=${1:?usage: plants.sh BUILD [PREFIX]}
prefix=${2:-kv-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
objects=$build/tests/sim/kv_town/CMakeFiles/sim_kv_town.dir
[ -x "$build/tests/sim/sim_kv_town" ] || { echo "no town was built"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# setting NAME: what the build was configured with.
setting() {
    sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}

cc=$(setting CMAKE_C_COMPILER)
[ -z "$(setting TROUPE_SANITIZE)" ] || { echo "not with a sanitizer"; exit 77; }
libraries=$(pkg-config --libs libuv ck)

# plant FILE: makes the copy; fails when the script changed nothing.
plant() {
    source=$(sed -n 's/^# file: *//p' "$1")
    sed -E -f "$1" "$root/samples/kv/$source" >"$work/$source"
    ! cmp -s "$work/$source" "$root/samples/kv/$source"
}

# compile: the planted source, before the library that has the others.
compile() {
    $cc -std=c11 -O1 -D_GNU_SOURCE -w -I"$root/samples/kv" -I"$root/samples" -I"$root/include" \
        -I"$root/src" -c "$work/$source" -o "$work/planted.o" &&
        $cc "$objects"/*.o "$work/planted.o" "$build/samples/kv/libtroupe_kv.a" \
            "$build/libtroupe-io.a" "$build/libtroupe.a" $libraries -lpthread -o "$work/town"
}

found=0
failures=0
for script in "$here/$prefix"*.sed; do
    name=$(basename "$script" .sed)
    if ! plant "$script" || ! compile; then
        echo "$name: could not be planted: its source has changed"
        failures=$((failures + 1))
        continue
    fi
    timeout 280 "$work/town" --seeds "1-${SEEDS:-6000}" --stop >"$work/output" 2>&1
    if grep -q '^seed ' "$work/output"; then
        found=$((found + 1))
        printf '%-32s %s\n' "$name" "$(grep -m 1 '^seed ' "$work/output" | cut -c1-100)"
    else
        echo "$name: SURVIVED"
        tail -n 1 "$work/output"
        failures=$((failures + 1))
    fi
done

echo "$found planted bugs found, $failures not"
[ "$failures" -eq 0 ] && [ "$found" -gt 0 ]
