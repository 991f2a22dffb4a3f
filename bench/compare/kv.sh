#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# kv.sh [-r ROUNDS] [-n REQUESTS] [-w WORKERS] [TROUPE_KV [REDIS_SERVER]]: beside Redis.
#
# redis-benchmark -t set,get -c 50, without pipelining and with 16 commands in a batch, against each
# of the two in turn, so that whatever the machine does meanwhile befalls both; without a log, and
# with one that is synced every second. Prints the medians of all rounds: operations per second, CPU
# time of the server per operation (user and system, from /proc/PID/stat), and the ratios.
#
# Only loopback; each server gets a free port and a folder of its own; both are gone at the end.

set -eu

rounds=7
requests=200000
workers=
while getopts r:n:w: option; do
    case $option in
    r) rounds=$OPTARG ;;
    n) requests=$OPTARG ;;
    w) workers=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
root=$(cd "$(dirname "$0")/../.." && pwd)
troupe=${1:-$root/build/release/samples/kv/troupe-kv}
redis=${2:-redis-server}

for program in "$troupe" "$redis" redis-benchmark redis-cli; do
    command -v "$program" >/dev/null || {
        echo "kv.sh: no $program (redis-tools and redis-server are Debian packages)" >&2
        exit 1
    }
done

folder=$(mktemp -d "${TMPDIR:-/tmp}/troupe-kv-XXXXXX")
servers=
end() {
    # shellcheck disable=SC2086 # a list of process ids
    [ -z "$servers" ] || kill -9 $servers 2>/dev/null || true
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' HUP INT TERM

# start NAME LOG: starts a server and waits until it answers; sets pid and port.
start() {
    data=$folder/$1-$2
    mkdir -p "$data"
    appendonly=yes
    [ "$2" != none ] || appendonly=no
    tries=0
    while :; do
        port=$((20000 + ($(date +%N | sed 's/^0*//') + tries) % 20000))
        set -- "$1" "$2" --port "$port" --bind 127.0.0.1 --dir "$data" \
            --appendonly $appendonly --appendfsync everysec
        if [ "$1" = troupe ]; then
            shift 2
            "$troupe" "$@" ${workers:+--workers "$workers"} >>"$folder/log" 2>&1 &
            set -- troupe "$(basename "$data" | sed 's/.*-//')"
        else
            shift 2
            "$redis" "$@" --save '' --auto-aof-rewrite-percentage 0 >>"$folder/log" 2>&1 &
            set -- redis "$(basename "$data" | sed 's/.*-//')"
        fi
        pid=$!
        waited=0
        while [ $waited -lt 100 ] && kill -0 $pid 2>/dev/null; do
            if [ "$(redis-cli -p "$port" ping 2>/dev/null)" = PONG ]; then
                servers="$servers $pid"
                return 0
            fi
            sleep 0.05
            waited=$((waited + 1))
        done
        kill -9 $pid 2>/dev/null || true
        tries=$((tries + 1))
        if [ $tries -ge 5 ]; then
            echo "kv.sh: $1 does not start; it said:" >&2
            tail -n 5 "$folder/log" >&2
            exit 1
        fi
    done
}

# User and system time of a process in clock ticks.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

# measure NAME LOG BATCH: one round; a line "LOG BATCH TEST NAME rate ticks-per-operation" for each.
measure() {
    for test in set get; do
        before=$(ticks "$4")
        rate=$(redis-benchmark -h 127.0.0.1 -p "$5" -t $test -c 50 -n "$requests" -P "$3" \
                   -r 100000 -d 64 --csv | awk -F'"' 'NR == 2 { print $4 }')
        after=$(ticks "$4")
        echo "$2 $3 $test $1 $rate $after $before"
    done
}

for log in none everysec; do
    start troupe $log
    troupe_pid=$pid
    troupe_port=$port
    start redis $log
    redis_pid=$pid
    redis_port=$port
    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        echo "log $log, round $round of $rounds" >&2
        for batch in 1 16; do
            measure troupe $log $batch "$troupe_pid" "$troupe_port"
            measure redis $log $batch "$redis_pid" "$redis_port"
        done
    done
    # shellcheck disable=SC2086
    kill -9 $servers
    servers=
done >"$folder/rounds"

awk -v requests="$requests" -v hertz="$(getconf CLK_TCK)" '
    function median(list,    values, count, i, j, swap) {
        count = split(list, values, " ")
        for (i = 2; i <= count; i++)
            for (j = i; j > 1 && values[j - 1] + 0 > values[j] + 0; j--) {
                swap = values[j]; values[j] = values[j - 1]; values[j - 1] = swap
            }
        return values[int((count + 1) / 2)]
    }
    {
        key = $1 " " $2 " " $3
        if (!(key in seen)) {
            seen[key] = 1
            order[++keys] = key
        }
        rate[key, $4] = rate[key, $4] " " $5
        cpu[key, $4] = cpu[key, $4] " " ($6 - $7) / hertz / requests * 1e6
    }
    END {
        printf "%-9s %5s %-4s  %29s  %24s\n", "log", "batch", "", "operations per second",
               "CPU us per operation"
        printf "%-9s %5s %-4s  %10s %10s %7s  %8s %7s %7s\n", "", "", "", "troupe", "redis",
               "ratio", "troupe", "redis", "ratio"
        for (i = 1; i <= keys; i++) {
            split(order[i], part, " ")
            ours = median(rate[order[i], "troupe"])
            theirs = median(rate[order[i], "redis"])
            our_cpu = median(cpu[order[i], "troupe"])
            their_cpu = median(cpu[order[i], "redis"])
            printf "%-9s %5d %-4s  %10.0f %10.0f %7.2f  %8.2f %7.2f %7.2f\n", part[1], part[2],
                   part[3], ours, theirs, ours / theirs, our_cpu, their_cpu,
                   (their_cpu > 0 ? our_cpu / their_cpu : 0)
        }
    }
' "$folder/rounds"
