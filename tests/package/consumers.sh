#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# consumers.sh SOURCE WORK: programs outside the tree, in C11 with all warnings as errors, under gcc
# and clang, against the shared library and the archive, through CMake and through pkg-config; and
# one in C++17 on the functions alone. None is built with -flto: the archive must do without.

set -eu
source=$(cd "$1" && pwd)
work=$2
prefix=$work/prefix
warnings="-Wall -Wextra -Wpedantic -Wconversion -Werror"
rm -rf "$work/consumer"
mkdir -p "$work/consumer"
cp "$source"/tests/package/consumer/* "$work/consumer"
awk -f "$source/tests/samples/first_program.awk" "$source/README.md" >"$work/consumer/hello.c"
cd "$work/consumer"

PKG_CONFIG_PATH=$prefix/lib/pkgconfig
LD_LIBRARY_PATH=$prefix/lib
export PKG_CONFIG_PATH LD_LIBRARY_PATH

expect() {
    words=$1
    shift
    printed=$("$@") || {
        echo "$*: ended with $?"
        exit 1
    }
    if [ "$printed" != "$words" ]; then
        echo "$*: expected \"$words\", printed \"$printed\""
        exit 1
    fi
    echo "ok $*"
}

for compiler in gcc clang; do
    CC=$compiler cmake -S . -B "cmake-$compiler" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_FLAGS="$warnings" -DCMAKE_BUILD_TYPE=Release >/dev/null
    cmake --build "cmake-$compiler"
    expect "1: hello, world" "cmake-$compiler/hello_shared"
    expect "1: hello, world" "cmake-$compiler/hello_static"
    if pkg-config --exists troupe-io; then
        expect "io" "cmake-$compiler/io"
    fi

    # What pkg-config prints is meant to be split.
    # shellcheck disable=SC2046,SC2086
    {
        $compiler -std=c11 -O2 $warnings $(pkg-config --cflags troupe) hello.c \
            $(pkg-config --libs troupe) -o "pc-$compiler"
        $compiler -std=c11 -O2 $warnings $(pkg-config --cflags troupe) -static hello.c \
            $(pkg-config --static --libs troupe) -o "pc-static-$compiler"
    }
    expect "1: hello, world" "./pc-$compiler"
    expect "1: hello, world" "./pc-static-$compiler"
    if pkg-config --exists troupe-io; then
        # shellcheck disable=SC2046,SC2086
        $compiler -std=c11 -O2 $warnings $(pkg-config --cflags troupe-io) io.c \
            $(pkg-config --libs troupe-io) -o "pc-io-$compiler"
        expect "io" "./pc-io-$compiler"
    fi
done

for compiler in g++ clang++; do
    # shellcheck disable=SC2046,SC2086
    $compiler -std=c++17 $warnings $(pkg-config --cflags troupe) version.cpp \
        $(pkg-config --libs troupe) -o "pc-$compiler"
    expect "$(pkg-config --modversion troupe)" "./pc-$compiler"
done
