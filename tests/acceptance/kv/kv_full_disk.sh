#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A disk that is full: an error for who writes, nothing lost that was acknowledged, and service as
# before once there is room again. The disk is a small tmpfs, for which one must be able to mount;
# without that the test is skipped. $1: the build folder.

kv=${TROUPE_KV:-$1/samples/kv/troupe-kv}
command -v redis-cli >/dev/null || {
    echo "skipped: no redis-cli"
    exit 77
}
[ -x "$kv" ] || exit 77

folder=$(mktemp -d)
disk=$folder/disk
server=
stop() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null
    umount "$disk" 2>/dev/null
    rm -rf "$folder"
}
trap stop EXIT

mkdir "$disk"
mount -t tmpfs -o size=512k none "$disk" 2>/dev/null || {
    echo "skipped: no tmpfs can be mounted here"
    exit 77
}

fail() {
    echo "failed: $*" >&2
    cat "$folder/out" >&2
    exit 1
}

start() {
    : >"$folder/out"
    "$kv" --port 0 --shards 2 --workers 2 --dir "$disk/data" --appendonly yes \
        --appendfsync "$1" >"$folder/out" 2>&1 &
    server=$!
    tries=0
    until port=$(sed -n 's/.*ready on port \([0-9]*\).*/\1/p' "$folder/out") && [ -n "$port" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] && kill -0 $server 2>/dev/null || fail "it does not get ready"
        sleep 0.1
    done
}

say() {
    redis-cli -p "$port" "$@"
}

# Writes keys "$1:1", "$1:2", … until the first error; sets `last` to the last one acknowledged.
fill() {
    last=0
    i=1
    while [ $i -le 2000 ]; do
        answer=$(say set "$1:$i" "$value")
        [ "$answer" = OK ] || break
        last=$i
        i=$((i + 1))
    done
}

# Every key of `fill` that was acknowledged is there.
check() {
    i=1
    while [ $i -le "$2" ]; do
        [ "$(say strlen "$1:$i")" = ${#value} ] || fail "$1:$i was acknowledged and is not there"
        i=$((i + 1))
    done
}

value=$(head -c 8000 /dev/zero | tr '\0' v)
for policy in everysec always; do
    rm -rf "$disk/data"
    head -c 65536 /dev/zero >"$disk/ballast"
    start $policy
    fill a
    [ $last -gt 0 ] && [ $last -lt 2000 ] || fail "$policy: $last were written to a small disk"
    case $answer in
    *MISCONF*"No space left"*) ;;
    *) fail "$policy: a full disk is answered '$answer'" ;;
    esac
    [ "$(say ping)" = PONG ] || fail "$policy: no service on a full disk"
    check a $last
    acknowledged=$last

    rm "$disk/ballast"
    tries=0
    until [ "$(say set b:1 room && say set b:2 room && say set b:3 room)" = "OK
OK
OK" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "$policy: there is room, and it is not written"
        sleep 0.1
    done
    kill -9 "$server"
    wait "$server" 2>/dev/null
    server=
    start $policy
    check a $acknowledged
    [ "$(say mget b:1 b:2 b:3 | tr '\n' ' ')" = "room room room " ] || fail "$policy: b is lost"
    kill -TERM "$server"
    wait "$server" || fail "$policy: it ended with $?"
    server=
done
echo "a full disk costs no acknowledged write"
