#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Plants each bug of plants/ in a copy of the source it names and demands that the explorer finds
# it. An explorer that finds nothing proves something only if it would have found these.
#
#     plants.sh CC [PREFIX]      PREFIX: only plants whose names begin with it
#
# Exit: 0 all found, 1 one survived or could not be planted.

set -u
cc=$1
prefix=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

. "$here/compile.sh"

# field NAME FILE: what stands behind "# NAME:" in a plant.
field() {
    sed -n "s/^# $1: *//p" "$2"
}

# plant FILE: makes the copy; fails when the script changed nothing.
plant() {
    file=$(field file "$1")
    rm -rf "$work/changed"
    original=$(source_of "$file")
    mkdir -p "$work/changed/$(dirname "$file")"
    sed -E -f "$1" "$original" > "$work/copy"
    if cmp -s "$work/copy" "$original"; then
        return 1
    fi
    mv "$work/copy" "$work/changed/$file"
}

failures=0
found=0
for script in "$here/plants/$prefix"*.sed; do
    name=$(basename "$script" .sed)
    if ! plant "$script"; then
        echo "$name: could not be planted: its source has changed"
        failures=$((failures + 1))
        continue
    fi
    if ! compile "$(field explorer "$script")" "$file"; then
        echo "$name: does not compile"
        failures=$((failures + 1))
        continue
    fi
    # shellcheck disable=SC2046
    timeout 60 "$work/explorer" $(field models "$script") > "$work/output" 2>&1
    if grep -q FOUND "$work/output"; then
        found=$((found + 1))
        how=$(sed -n 's/^\([^ ]*\): FOUND: \(.*\)/\1: \2/p' "$work/output" | cut -c1-90)
        printf '%-28s %s,%s\n' "$name" "$how" "$(sed -n 's/^ *after/ after/p' "$work/output")"
    else
        echo "$name: SURVIVED"
        tail -3 "$work/output"
        failures=$((failures + 1))
    fi
done

echo "$found planted bugs found, $failures not"
[ "$failures" -eq 0 ] && [ "$found" -gt 0 ]
