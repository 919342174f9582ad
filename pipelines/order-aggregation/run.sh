# What `make run` shows of this pipeline; sourced by tools/run.sh.
BUCKET=$(made BUCKET)
QUEUE_URL=$(made QUEUE_URL)

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

try() {
    cat <<END
  aws --endpoint-url $endpoint s3 ls s3://$BUCKET
  aws --endpoint-url $endpoint dynamodb scan --table-name $(made TABLE) --max-items 3
  aws --endpoint-url $endpoint logs filter-log-events --log-group-name /aws/lambda/$(made FUNCTION)
END
}
