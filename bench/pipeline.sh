#!/usr/bin/env bash
# How long the order-aggregation pipeline takes for a large set, from the last upload to the last
# message: pipeline.sh [BUILD_DIR] [CUSTOMERS ORDERS ITEMS]. Starts its own server on a free port with
# a new data folder, and removes both.
set -euo pipefail
build=$(cd "${1:-build}" && pwd)
cd "$(dirname "$0")/.."
customers=${2:-100000}
orders=${3:-500000}
items=${4:-1000000}
limit_s=${LIMIT_S:-300}
work=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench-XXXXXX")
server=
cleanup() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

python3 pipelines/order-aggregation/gen_csv.py "$work" 20230828 "$customers" "$orders" "$items" >/dev/null
mkfifo "$work/out"
"$build/weir" serve --listen 127.0.0.1:0 --data "$work/data" --log-level warn >"$work/out" 2>"$work/log" &
server=$!
exec 3<"$work/out"
read -r -t 20 line <&3 || { cat "$work/log" >&2; echo "the server did not start" >&2; exit 1; }
endpoint=${line#listening on }
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
unset AWS_SESSION_TOKEN AWS_PROFILE
aws=$(PATH=/usr/bin:$PATH command -v aws)
WEIR_BUILD=$build pipelines/order-aggregation/deploy.sh "$endpoint" >"$work/names"
bucket=$(sed -n 's/^BUCKET=//p' "$work/names")
queue=$(sed -n 's/^QUEUE_URL=//p' "$work/names")
dlq=$(sed -n 's/^DLQ_URL=//p' "$work/names")

depth() {
    "$aws" --endpoint-url "$endpoint" sqs get-queue-attributes --queue-url "$1" \
        --attribute-names ApproximateNumberOfMessages --query Attributes.ApproximateNumberOfMessages --output text
}
cpu_s() { awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) / hz}' "/proc/$server/stat"; }

cpu_before=$(cpu_s)
start=$(date +%s.%N)
for kind in items orders customers; do
    "$aws" --endpoint-url "$endpoint" s3 cp "$work/${kind}_20230828.csv" "s3://$bucket" --no-progress >/dev/null
done
uploaded=$(date +%s.%N)
while :; do
    n=$(depth "$queue")
    now=$(date +%s.%N)
    [ "$n" -lt "$customers" ] || break
    if awk "BEGIN{exit !($now - $uploaded > $limit_s)}"; then
        echo "only $n of $customers messages after $limit_s s; dead letters: $(depth "$dlq")" >&2
        tail -5 "$work/log" >&2
        exit 1
    fi
done
rss=$(awk '/^VmHWM/{printf "%.0f", $2 / 1024}' "/proc/$server/status")
awk -v c="$customers" -v o="$orders" -v i="$items" -v s="$start" -v u="$uploaded" -v n="$now" \
    -v cpu="$(cpu_s)" -v before="$cpu_before" -v rss="$rss" -v dead="$(depth "$dlq")" 'BEGIN {
    printf "order-aggregation, %d customers, %d orders, %d items: uploads %.1f s, then %.1f s to the last message ", c, o, i, u - s, n - u
    printf "(%.0f messages/s), server CPU %.1f s, peak RSS %d MiB, dead letters %d\n", c / (n - u), cpu - before, rss, dead }'
