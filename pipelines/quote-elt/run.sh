# What `make run PIPELINE=quote-elt` shows; sourced by tools/run.sh.
YESTERDAY=$(date -u -d yesterday +%F)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

invoke() { # FUNCTION EVENT; the answer goes to $WORK/answer
    echo "$2" >"$WORK/event"
    cli lambda invoke --function-name "$1" --payload "fileb://$WORK/event" "$WORK/answer" >/dev/null
}

say "Asking the API for quotes, as the schedule does every minute, for three moments of yesterday:"
for minute in 01 02 03; do
    python3 pipelines/quote-elt/quotes_server.py --print 5 >"$WORK/document"
    cli s3 cp --only-show-errors --content-type application/json "$WORK/document" "s3://$(made BUCKET)/api/quotes/random"
    invoke "$(made INGEST_FUNCTION)" "{\"time\":\"${YESTERDAY}T12:$minute:00Z\"}"
    jq -c . "$WORK/answer"
done

say "The day's work, as the schedule does it at noon, on yesterday:"
invoke "$(made DAILY_FUNCTION)" "{\"date\":\"$YESTERDAY\"}"
jq -c '{date, rows, failed_limits}, {quote_length: .columns.quote_length}, {author: .columns.author}' "$WORK/answer"
cli s3 ls --recursive "s3://$(made BUCKET)/quotes_"

say "And on a day that has no quotes, which is below a limit; what the queue is told:"
invoke "$(made DAILY_FUNCTION)" '{"date":"2000-01-01"}'
got=$(cli sqs receive-message --queue-url "$(made QUALITY_QUEUE_URL)" --wait-time-seconds 3 --output json)
printf '%s' "${got:-{\}}" | jq -c '.Messages // [] | .[].Body | fromjson | {"detail-type", detail}'
[ -n "$got" ] || echo "(nothing: an earlier run told it of this day, and nothing is told twice)"
rm -rf "$WORK"

try() {
    cat <<END
  aws --endpoint-url $endpoint dynamodb scan --table-name $(made HISTORY_TABLE) --max-items 1
  aws --endpoint-url $endpoint logs filter-log-events --log-group-name $(made LOG_GROUP)
  aws --endpoint-url $endpoint s3 cp --recursive s3://$(made BUCKET)/quotes_fact quotes_fact # for DuckDB or pandas
  pipelines/quote-elt/run-now.sh $endpoint daily $(date -u +%F) # of today, so far
END
}
