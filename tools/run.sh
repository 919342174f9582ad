#!/usr/bin/env bash
# Starts Weir (or finds the one that an earlier run left), deploys the order-aggregation pipeline,
# feeds it its files in the wrong order and prints what comes out of the queue. Leaves Weir running.
#
#   WEIR_LISTEN=127.0.0.1:4566  WEIR_DATA=.weir/data  WEIR_BUILD=build
set -euo pipefail
cd "$(dirname "$0")/.."
listen=${WEIR_LISTEN:-127.0.0.1:4566}
data=${WEIR_DATA:-.weir/data}
build=${WEIR_BUILD:-build}
state=.weir
pidfile=$state/pid
log=$state/log
mkdir -p "$state"

say() { printf '\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { echo "$*"; }

# Whoever answers for this data is running; a process id tells nothing of a process that was killed.
was_running=0
if "$build/weir" status --data "$data" >/dev/null 2>&1; then
    was_running=1
    endpoint=$("$build/weir" env --data "$data" | sed -n 's/^export AWS_ENDPOINT_URL=//p')
    if [ "$(cat "$state/listen" 2>/dev/null)" != "$listen" ]; then
        echo "an earlier run still serves at $endpoint: make stop first" >&2
        exit 1
    fi
    say "Weir is already running at $endpoint (process $(cat "$pidfile"))."
else
    say "Starting Weir at $listen, data in $data ..."
    : >"$state/out"
    setsid nohup "$build/weir" serve --listen "$listen" --data "$data" >"$state/out" 2>"$log" </dev/null &
    pid=$!
    for _ in $(seq 200); do
        grep -q '^listening on' "$state/out" && break
        kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; exit 1; }
        sleep 0.05
    done
    endpoint=$(sed -n 's/^listening on //p' "$state/out")
    [ -n "$endpoint" ] || { tail -5 "$log" >&2; echo "Weir did not start" >&2; kill "$pid"; exit 1; }
    echo "$pid" >"$pidfile"
    echo "$listen" >"$state/listen"
fi

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
unset AWS_SESSION_TOKEN AWS_PROFILE
aws=$(PATH=/usr/bin:$PATH command -v aws)
cli() { "$aws" --endpoint-url "$endpoint" "$@"; }

say "Deploying pipelines/order-aggregation ..."
if ! pipelines/order-aggregation/deploy.sh "$endpoint" | tee "$state/pipeline"; then
    echo "the pipeline could not be deployed; Weir's log is $log" >&2
    exit 1
fi
BUCKET=$(sed -n 's/^BUCKET=//p' "$state/pipeline")
QUEUE_URL=$(sed -n 's/^QUEUE_URL=//p' "$state/pipeline")

say "Uploading the files, items first: the order does not matter to the pipeline."
for kind in items orders customers; do
    cli s3 cp "pipelines/order-aggregation/sample/${kind}_20230828.csv" "s3://$BUCKET" --no-progress
done

say "What comes out of the queue:"
n=0
wait=10
[ "$was_running" -eq 0 ] || wait=3 # nothing has to start, and most likely nothing is new
while :; do
    batch=$(cli sqs receive-message --queue-url "$QUEUE_URL" --max-number-of-messages 10 --wait-time-seconds "$wait" --output json)
    count=$(printf '%s' "${batch:-{\}}" | jq '.Messages // [] | length')
    [ "$count" -gt 0 ] || break
    printf '%s' "$batch" | jq -r '.Messages[].Body' # as sent: jq would write 400.00 as 400
    printf '%s' "$batch" | jq -r '.Messages[].ReceiptHandle' | while read -r handle; do
        cli sqs delete-message --queue-url "$QUEUE_URL" --receipt-handle "$handle"
    done
    n=$((n + count))
    # All three customers of the sample are out: no need to wait for a fourth.
    [ "$n" -lt 3 ] || wait=1
done
if [ "$n" -eq 0 ]; then
    echo "(nothing new: these very files were aggregated by an earlier run, and nothing is sent twice)"
fi

cat <<END

Weir is running at $endpoint (process $(cat "$pidfile"), log in $log). Try:

  eval "\$($build/weir env --data $data)"
  aws --endpoint-url $endpoint s3 ls s3://$BUCKET
  aws --endpoint-url $endpoint dynamodb scan --table-name $(sed -n 's/^TABLE=//p' "$state/pipeline") --max-items 3
  aws --endpoint-url $endpoint logs filter-log-events --log-group-name /aws/lambda/$(sed -n 's/^FUNCTION=//p' "$state/pipeline")
  curl $endpoint/_weir/metrics
  make stop
END
