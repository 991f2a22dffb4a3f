#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# install.sh SOURCE WORK: builds what is shipped and installs it; then moves it elsewhere, since a
# package must not depend on where it was built for. The shared libraries must export what is public
# and nothing else, and must be hardened as promised.

set -eu
source=$1
work=$2
rm -rf "$work"
mkdir -p "$work"

cmake -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DTROUPE_TESTS=OFF -DTROUPE_SAMPLES=OFF -DCMAKE_INSTALL_LIBDIR=lib
cmake --build "$work/build"
cmake --install "$work/build" --prefix "$work/first"
mv "$work/first" "$work/prefix"

if grep -r "$work" "$work/prefix/lib/cmake" "$work/prefix/lib/pkgconfig"; then
    echo "the package knows where it was built"
    exit 1
fi

for library in "$work"/prefix/lib/libtroupe*.so; do
    exported=$(nm -D --defined-only --format=posix "$library" | cut -d ' ' -f 1 | sed 's/@.*//')
    echo "$library exports $(printf '%s\n' "$exported" | wc -l) names"
    if printf '%s\n' "$exported" | grep -v '^tr_'; then
        echo "$library exports what is not public"
        exit 1
    fi
    printf '%s\n' "$exported" | grep -q '^tr_'
    readelf -d "$library" | grep -q NODELETE
    readelf -d "$library" | grep -q 'BIND_NOW\|NOW'
    readelf -l "$library" | grep -q GNU_RELRO
done

[ -e "$work/prefix/lib/troupe/libtroupe-escapes.so" ] || { echo "nothing to preload"; exit 1; }
