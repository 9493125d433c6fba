#!/usr/bin/env bash
# The RESP example against redis-server, by redis-benchmark: requests per second and their ratio.
#
#     benches/redis.sh [rounds] [requests] [tests]        5, 200000 and ping_mbulk,set,get by default
#
# Both servers run on one core, and the benchmark on another. The rounds alternate between the two,
# so that whatever else the machine does meets both; the medians are compared. Needs Debian's
# redis-server and redis-tools.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
requests=${2:-200000}
tests=${3:-ping_mbulk,set,get}
server_core=${SERVER_CORE:-0}
client_core=${CLIENT_CORE:-1}
ours=7391
theirs=7392

results=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$results"' EXIT

cargo build --quiet --release --example resp_server
target=${CARGO_TARGET_DIR:-target}
taskset -c "$server_core" "$target/release/examples/resp_server" "$ours" >/dev/null &
pids+=($!)
taskset -c "$server_core" redis-server --port "$theirs" --save '' --appendonly no --io-threads 1 >/dev/null &
pids+=($!)
for port in "$ours" "$theirs"; do
    until redis-cli -p "$port" ping >/dev/null 2>&1; do sleep 0.1; done
done

# One line for each test: its name, the pipeline's depth, and requests per second.
measure() {
    local name=$1 port=$2 depth=$3
    taskset -c "$client_core" redis-benchmark -p "$port" -t "$tests" -n "$requests" -c 50 -P "$depth" --csv |
        tail -n +2 | tr -d '"' | awk -F, -v depth="$depth" '{ print $1, depth, $2 }' >>"$results/$name"
}

for ((round = 0; round < rounds; round++)); do
    for depth in 1 16; do
        measure ours "$ours" "$depth"
        measure theirs "$theirs" "$depth"
    done
done

median() { # of the third column, for each test and depth, in the order of appearance
    awk '{ key = $1 " " $2; if (!(key in n)) order[++keys] = key; values[key, ++n[key]] = $3 }
         END { for (k = 1; k <= keys; k++) { key = order[k]; count = n[key];
             for (i = 2; i <= count; i++) for (j = i; j > 1 && values[key, j] + 0 < values[key, j - 1] + 0; j--) {
                 swap = values[key, j]; values[key, j] = values[key, j - 1]; values[key, j - 1] = swap }
             m = int((count + 1) / 2)
             print key, count % 2 ? values[key, m] : (values[key, m] + values[key, m + 1]) / 2 } }' "$1"
}

echo "medians of $rounds rounds of $requests requests, 50 clients, requests per second"
printf '%-12s %5s %12s %12s %7s\n' test depth soquete redis ratio
paste -d' ' <(median "$results/ours") <(median "$results/theirs") |
    awk '{ printf "%-12s %5d %12.0f %12.0f %7.2f\n", $1, $2, $3, $6, $3 / $6 }'
