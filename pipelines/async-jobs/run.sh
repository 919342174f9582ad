# What `make run PIPELINE=async-jobs` shows; sourced by tools/run.sh.
TABLE=$(made TABLE)
RUN=$(date +%H%M%S)

put() { # ID KIND INPUT
    cli dynamodb put-item --table-name "$TABLE" \
        --item "{\"id\":{\"S\":\"$RUN-$1\"},\"kind\":{\"S\":\"$2\"},\"input\":{\"S\":\"$3\"}}"
}

outcome() { # ID
    cli dynamodb get-item --table-name "$TABLE" --key "{\"id\":{\"S\":\"$RUN-$1\"}}" --consistent-read --output json |
        jq -cr '.Item | select(.status) | {id: .id.S, status: .status.S, result: (.result.M // {} | map_values(.N | tonumber)), reason: .reason.S}
            | del(.[] | select(. == null or . == {}))'
}

ask() { # METHOD PATH [BODY]
    curl -sS -X "$1" "$(made API_URL)$2" --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        ${3:+-H 'content-type: application/json' -d "$3"}
}

say "Putting three jobs into the table: one of words, one of numbers, one that cannot be done."
put 1 words "the cat and the dog"
put 2 sum "1 -20 300"
put 3 sum "1 x 2"

say "What becomes of them (the third after its retries, by topic and error handler):"
for id in 1 2 3; do
    for _ in $(seq 60); do
        got=$(outcome "$id")
        [ -z "$got" ] || break
        sleep 0.5
    done
    echo "${got:-$RUN-$id: not settled after 30 s}"
done

say "One more by the API, which puts it into the table without a function between:"
ANSWER=$(ask POST /jobs '{"kind":"words","input":"to be or not to be"}')
echo "$ANSWER"
for _ in $(seq 60); do
    got=$(ask GET "/jobs/$(echo "$ANSWER" | jq -r .id)")
    [[ $got == *PENDING* ]] || break
    sleep 0.5
done
echo "$got" | jq -c .
echo "and what is no job: $(ask POST /jobs '{"kind":"weather","input":"Bern"}')"

try() {
    cat <<END
  aws --endpoint-url $endpoint dynamodb scan --table-name $TABLE --max-items 3
  aws --endpoint-url $endpoint dynamodbstreams describe-stream --stream-arn $(made STREAM_ARN)
  aws --endpoint-url $endpoint logs filter-log-events --log-group-name /aws/lambda/$(made ERRORS_FUNCTION)
  MARKING=off pipelines/async-jobs/deploy.sh $endpoint # and what its README says
END
}
