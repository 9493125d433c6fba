#!/usr/bin/env bash
# The RESP example against redis-server, by redis-benchmark: requests per second, and the server's
# processor time per request.
#
#     benches/redis.sh [rounds] [requests] [test …]     5, 200000 and ping_mbulk set get by default
#
# Both servers run on one core, and the benchmark on another. The rounds alternate between the two,
# so that whatever else the machine does meets both, and medians are compared. On a busy machine the
# processor time is the steadier of the two. Needs Debian's redis-server and redis-tools.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
requests=${2:-200000}
shift $(($# < 2 ? $# : 2))
tests=("${@:-ping_mbulk}")
if (($# == 0)); then tests=(ping_mbulk set get); fi
server_core=${SERVER_CORE:-0}
client_core=${CLIENT_CORE:-1}
ours=7391
theirs=7392

results=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$results"' EXIT

cargo build --quiet --release --example resp_server
pids=()
taskset -c "$server_core" "${CARGO_TARGET_DIR:-target}/release/examples/resp_server" "$ours" >/dev/null &
pids+=($!)
taskset -c "$server_core" redis-server --port "$theirs" --save '' --appendonly no --io-threads 1 >/dev/null &
pids+=($!)
for port in "$ours" "$theirs"; do
    until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
done

# Processor time of a process so far, in clock ticks, of which a second has a hundred.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# One line per run: requests per second, and microseconds of processor time per request.
measure() {
    local port=$1 pid=$2 test=$3 depth=$4 results=$5 before after rate
    before=$(ticks "$pid")
    rate=$(taskset -c "$client_core" redis-benchmark -p "$port" -t "$test" -n "$requests" -c 50 -P "$depth" --csv |
        tail -n 1 | tr -d '"' | cut -d, -f2)
    after=$(ticks "$pid")
    awk -v rate="$rate" -v ticks=$((after - before)) -v requests="$requests" \
        'BEGIN { print rate, ticks * 10000 / requests }' >>"$results"
}

for ((round = 0; round < rounds; round++)); do
    for depth in 1 16; do
        for test in "${tests[@]}"; do
            measure "$ours" "${pids[0]}" "$test" "$depth" "$results/ours.$test.$depth"
            measure "$theirs" "${pids[1]}" "$test" "$depth" "$results/theirs.$test.$depth"
        done
    done
done

median() { # of a column of a file
    cut -d' ' -f"$1" "$2" | sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

echo "medians of $rounds rounds of $requests requests, 50 clients"
printf '%-12s %5s   %10s %10s %6s   %10s %10s %6s\n' \
    test depth 'soquete/s' 'redis/s' ratio 'soquete µs' 'redis µs' ratio
for depth in 1 16; do
    for test in "${tests[@]}"; do
        files=("$results/ours.$test.$depth" "$results/theirs.$test.$depth")
        echo "$test $depth $(median 1 "${files[0]}") $(median 1 "${files[1]}")" \
            "$(median 2 "${files[0]}") $(median 2 "${files[1]}")"
    done
done | awk '{ printf "%-12s %5d   %10.0f %10.0f %6.2f   %10.2f %10.2f %6.2f\n",
              $1, $2, $3, $4, $3 / $4, $5, $6, $6 / $5 }'
