#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Redis' own clients, unmodified, against the service. $1: the build folder.

kv=${TROUPE_KV:-$1/samples/kv/troupe-kv}
command -v redis-cli >/dev/null && command -v redis-benchmark >/dev/null || exit 77
[ -x "$kv" ] || exit 77

folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null
    for name in first second; do
        [ ! -s "$folder/$name" ] || kill "$(cat "$folder/$name")" 2>/dev/null
    done
    rm -rf "$folder"
}
trap stop EXIT

fail() {
    echo "failed: $*" >&2
    cat "$folder/out" >&2
    exit 1
}

# Starts the service on a port of its own choice and waits for the line that says ready.
start() {
    : >"$folder/out"
    "$kv" --port 0 --shards 3 --workers 2 --dir "$folder/data" "$@" >"$folder/out" 2>&1 &
    server=$!
    tries=0
    until port=$(sed -n 's/.*ready on port \([0-9]*\).*/\1/p' "$folder/out") && [ -n "$port" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] && kill -0 $server 2>/dev/null || fail "it does not get ready"
        sleep 0.1
    done
}

finish() {
    kill -TERM "$server"
    wait "$server" || fail "it ended with $?"
    server=
}

say() {
    redis-cli -p "$port" "$@"
}

expect() {
    wanted=$1
    shift
    got=$(say "$@" | tr -s '\n ' ' ')
    [ "$got" = "$wanted " ] || fail "$*: got '$got', not '$wanted'"
}

# Asks until the answer is the one that is waited for: a client that has gone is known for a moment.
eventually() {
    wanted=$1
    shift
    tries=0
    until [ "$("$@")" = "$wanted" ]; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "$*: got '$("$@")', not '$wanted'"
        sleep 0.1
    done
}

count_named() {
    say client list | grep -c 'name=[fs].* cmd=client|setname'
}

count_listed() {
    say client list | grep -c '^id='
}

count_connected() {
    say info clients | tr -d '\r' | sed -n 's/^connected_clients://p'
}

# Two clients who wait, and a third one who looks at them and ends them.
clients() {
    for name in first second; do
        { echo "client setname $name"; sleep 30 & echo $! >"$folder/$name"; wait; } 2>/dev/null |
            say >/dev/null 2>&1 &
    done
    eventually 2 count_named
    eventually 3 count_listed
    eventually 3 count_connected
    say client info | grep -q '^id=[0-9]* addr=127.0.0.1:[0-9]* .* cmd=client|info ' ||
        fail "client info"
    first=$(say client list | sed -n 's/^id=\([0-9]*\) .* name=first .*/\1/p')
    address=$(say client list | sed -n 's/.* addr=\([^ ]*\) .* name=second .*/\1/p')
    say client list id "$first" 999999 | grep -q "^id=$first .*name=first " || fail "list id"
    expect 1 client kill id "$first"
    expect 0 client kill id "$first"
    expect OK client kill "$address"
    expect "ERR No such client" client kill "$address"
    eventually 1 count_listed
    expect 1 client kill skipme no
    for name in first second; do
        kill "$(cat "$folder/$name")"
        rm "$folder/$name"
    done
}

for log in "--appendonly no" "--appendonly yes --appendfsync always"; do
    # shellcheck disable=SC2086
    start $log
    expect PONG ping
    expect OK set key value
    expect value get key
    expect OK mset a 1 b 2 c 3 d 4
    expect "1 2 3 4" mget a b c d
    expect 2 incr a
    expect 5 dbsize
    expect "ERR unknown command 'nosuch', with args beginning with: 'x'" nosuch x
    expect "OK" -n 3 set other 1
    expect "1" -n 3 dbsize
    [ "$(say --scan | wc -l)" = 5 ] || fail "--scan"
    say info | grep -q '^db0:keys=5' || fail "info"
    clients
    printf 'set piped 1\r\nget piped\r\n' | say | tr '\n' ' ' | grep -q '^OK 1' || fail "stdin"
    head -c 1000000 /dev/urandom >"$folder/big"
    say -x set big <"$folder/big" >/dev/null
    [ "$(say strlen big)" = 1000000 ] || fail "a megabyte"
    for test in set,get incr,mset ping_inline,ping_mbulk; do
        redis-benchmark -p "$port" -t $test -c 20 -P 8 -n 4000 -r 1000 -q >"$folder/bench" 2>&1 ||
            fail "redis-benchmark -t $test"
        grep -q 'requests per second' "$folder/bench" || fail "redis-benchmark -t $test"
        ! grep -q Error "$folder/bench" || fail "redis-benchmark -t $test: $(cat "$folder/bench")"
    done
    finish
done

# Crashes lose nothing that was acknowledged, nor does the end by SIGKILL.
start --appendonly yes
expect 1000000 strlen big
expect OK crash 0
expect OK crash 1
expect OK crash 2
expect "2 2 3 4" mget a b c d
expect OK set last 1
kill -9 "$server"
wait "$server" 2>/dev/null
server=
start --appendonly yes
expect 1 get last
say bgrewriteaof >/dev/null
expect 1000000 strlen big
say shutdown >/dev/null 2>&1
wait "$server" || fail "SHUTDOWN: it ended with $?"
server=
start --appendonly yes
expect 1000000 strlen big
expect 1 get last
finish
echo "the clients work"
