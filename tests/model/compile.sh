# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2154
#
# Compiles an explorer whose sources are partly changed copies: for plants.sh and mutants.sh, which
# set $cc, $here (this folder), $root and $work. A changed copy stands in $work/changed, under the
# path that the explorer's `sources:` line names it by, or a header under src/.

flags="-std=c11 -O1 -D_GNU_SOURCE -w -ffunction-sections"
includes="-I$here/include -I$here -I$root/src -I$root/include -I$root/tests"

# source_of PATH: the changed copy, or the original.
source_of() {
    for folder in "$work/changed" "$here" "$root/src"; do
        if [ -f "$folder/$1" ]; then
            echo "$folder/$1"
            return
        fi
    done
    echo "no such source: $1" >&2
}

# object_of PATH CHANGED: compiles a source, or finds it compiled: a change in a .c concerns that
# one alone, one in a header all.
object_of() {
    source=$(source_of "$1")
    object=$work/objects/$(echo "$1" | tr / -).o
    case $source$2 in
        "$work"/changed/*|*.h) object=$work/changed/$(echo "$1" | tr / -).o ;;
    esac
    # shellcheck disable=SC2086
    [ -f "$object" ] || $cc $flags -I"$work/changed" $includes -c "$source" -o "$object" || return 1
    echo "$object"
}

# compile EXPLORER CHANGED: it and what it names, to $work/explorer.
compile() {
    objects=
    mkdir -p "$work/objects"
    for path in "$1.c" $(sed -n 's,^/\* sources: \(.*\) \*/$,\1,p' "$here/$1.c"); do
        objects="$objects $(object_of "$path" "$2")" || return 1
    done
    # shellcheck disable=SC2086
    $cc $objects -Wl,--gc-sections -o "$work/explorer" -lpthread
}
