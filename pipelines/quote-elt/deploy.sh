#!/usr/bin/env bash
# Deploys template.yaml by weir deploy: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes only what
# differs. Prints INGEST_FUNCTION=, DAILY_FUNCTION=, RAW_TABLE=, HISTORY_TABLE=, BUCKET=, BUS=, QUALITY_QUEUE_URL=,
# LOG_GROUP=, LAYER_ARN= and QUOTES_URL= lines.
#
#   NAME         of the stack, and prefix of all names (quote-elt)
#   WEIR_BUILD   build folder with weir and functions/ (../../build)
#   QUOTES_URL   the API: https://api.quotable.io/random; with an endpoint, a document of sample quotes that
#                is put into the bucket for it
#   LIMITS       of the data's quality, a JSON list (README.md)
#   SCHEDULES    ENABLED; DISABLED, and nothing runs by itself
#   MEMORY       MB of the daily function (1024)
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
SCHEDULES=${SCHEDULES:-ENABLED}
LIMITS=${LIMITS:-'[{"statistic":"rows","min":1},{"column":"author","statistic":"nulls","max":0},{"column":"quote_length","statistic":"max","max":1000}]'}
SETTINGS=("Memory=${MEMORY:-1024}" "Limits=$LIMITS")
if [ -n "${QUOTES_URL:-}" ] || [ -z "$ENDPOINT" ]; then
    deploy "${SETTINGS[@]}" "Schedules=$SCHEDULES" "QuotesUrl=${QUOTES_URL:-https://api.quotable.io/random}" SampleKey=
    exit
fi

# The document may be read without a signature, as the public API may, by what runs on Weir's own host.
source "$HERE/../aws.sh"
BUCKET=$NAME-$ACCOUNT-$REGION
SAMPLE_KEY=api/quotes/random
SETTINGS+=("QuotesUrl=$ENDPOINT/$BUCKET/$SAMPLE_KEY" "SampleKey=$SAMPLE_KEY")
# Nothing runs before it is there.
if ! call s3api head-object --bucket "$BUCKET" --key "$SAMPLE_KEY" >/dev/null 2>&1; then
    deploy "${SETTINGS[@]}" Schedules=DISABLED >/dev/null
    python3 "$HERE/quotes_server.py" --seed 1 --print 5 >"$place/sample"
    call s3api put-object --bucket "$BUCKET" --key "$SAMPLE_KEY" --content-type application/json --body "$place/sample" >/dev/null
    rm -rf "$place"
fi
deploy "${SETTINGS[@]}" "Schedules=$SCHEDULES"
