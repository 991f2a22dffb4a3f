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

flags="-std=c11 -O1 -D_GNU_SOURCE -w -ffunction-sections"
includes="-I$here/include -I$here -I$root/src -I$root/include -I$root/tests"

# field NAME FILE: what stands behind "# NAME:" in a plant.
field() {
    sed -n "s/^# $1: *//p" "$2"
}

# source_of PATH: the planted copy, or the original.
source_of() {
    for folder in "$work/planted" "$here" "$root/src"; do
        if [ -f "$folder/$1" ]; then
            echo "$folder/$1"
            return
        fi
    done
    echo "no such source: $1" >&2
}

# plant FILE: makes the copy; fails when the script changed nothing.
plant() {
    file=$(field file "$1")
    rm -rf "$work/planted"
    original=$(source_of "$file")
    mkdir -p "$work/planted/$(dirname "$file")"
    sed -E -f "$1" "$original" > "$work/copy"
    if cmp -s "$work/copy" "$original"; then
        return 1
    fi
    mv "$work/copy" "$work/planted/$file"
}

# object_of PATH: compiles a source, or finds it compiled: a bug in a .c concerns that one alone.
object_of() {
    source=$(source_of "$1")
    object=$work/objects/$(echo "$1" | tr / -).o
    case $source$(field file "$script") in
        "$work"/planted/*|*.h) object=$work/planted/$(echo "$1" | tr / -).o ;;
    esac
    # shellcheck disable=SC2086
    [ -f "$object" ] || $cc $flags -I"$work/planted" $includes -c "$source" -o "$object" || return 1
    echo "$object"
}

# compile EXPLORER: it and what it names, with the planted copy before the original.
compile() {
    objects=
    for path in "$1.c" $(sed -n 's,^/\* sources: \(.*\) \*/$,\1,p' "$here/$1.c"); do
        objects="$objects $(object_of "$path")" || return 1
    done
    # shellcheck disable=SC2086
    $cc $objects -Wl,--gc-sections -o "$work/explorer" -lpthread
}

mkdir "$work/objects"
failures=0
found=0
for script in "$here/plants/$prefix"*.sed; do
    name=$(basename "$script" .sed)
    if ! plant "$script"; then
        echo "$name: could not be planted: its source has changed"
        failures=$((failures + 1))
        continue
    fi
    if ! compile "$(field explorer "$script")"; then
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
