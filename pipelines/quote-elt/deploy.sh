#!/usr/bin/env bash
# Deploys the pipeline with the AWS CLI: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes
# only what differs. Prints INGEST_FUNCTION=, DAILY_FUNCTION=, RAW_TABLE=, HISTORY_TABLE=, BUCKET=, BUS=,
# QUALITY_QUEUE_URL=, LOG_GROUP=, LAYER_ARN= and QUOTES_URL= lines.
#
#   NAME         prefix of all names (quote-elt)
#   WEIR_BUILD   build folder with functions/quote-elt.zip and quote-elt-layer.zip (../../build)
#   QUOTES_URL   the API: https://api.quotable.io/random; with an endpoint, a document of sample quotes that
#                is put into the bucket for it
#   LIMITS       of the data's quality, a JSON list (README.md)
#   SCHEDULES    ENABLED; DISABLED, and nothing runs by itself
#   MEMORY       MB of the daily function (1024)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
FUNCTIONS=${WEIR_BUILD:-$HERE/../../build}/functions
PACKAGE=$FUNCTIONS/quote-elt.zip
LAYER_PACKAGE=$FUNCTIONS/quote-elt-layer.zip
SCHEDULES=${SCHEDULES:-ENABLED}
MEMORY=${MEMORY:-1024}
API=https://api.quotable.io/random
LIMITS=${LIMITS:-'[{"statistic":"rows","min":1},{"column":"author","statistic":"nulls","max":0},{"column":"quote_length","statistic":"max","max":1000}]'}
[ -f "$PACKAGE" ] || { say "no function package in $FUNCTIONS: build first (make build)"; exit 1; }
[ -f "$LAYER_PACKAGE" ] || { say "no layer in $FUNCTIONS: layer/install.sh, then build (make deps build)"; exit 1; }

# What steps that run at once find out.
FOUND=$(mktemp -d)
trap 'rm -rf "$FOUND"' EXIT

# --- what the functions work on --------------------------------------------------------------------

table() { # NAME KEY...
    local at attributes=() keys=() type=HASH
    for at in "${@:2}"; do
        attributes+=("AttributeName=$at,AttributeType=S")
        keys+=("AttributeName=$at,KeyType=$type")
        type=RANGE
    done
    make dynamodb create-table --table-name "$1" --billing-mode PAY_PER_REQUEST \
        --attribute-definitions "${attributes[@]}" --key-schema "${keys[@]}" --query TableDescription.TableStatus
    [ "$ANSWER" != CREATING ] || call dynamodb wait table-exists --table-name "$1"
}

# The document may be read without a signature, as the public API may, by what runs on Weir's own host.
sample() {
    local sample
    sample=$(mktemp)
    python3 "$HERE/quotes_server.py" --seed 1 --print 5 >"$sample"
    make s3api put-object --bucket "$BUCKET" --key "$SAMPLE_KEY" --content-type application/json --body "$sample"
    rm -f "$sample"
    call s3api put-bucket-policy --bucket "$BUCKET" --policy "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",
        \"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:$PARTITION:s3:::$BUCKET/$SAMPLE_KEY\",
        \"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"127.0.0.0/8\"}}}]}"
}

bucket() {
    local where=()
    [ "$REGION" = us-east-1 ] || where=(--create-bucket-configuration "LocationConstraint=$REGION")
    make s3api create-bucket --bucket "$BUCKET" "${where[@]}"
    [ -n "${QUOTES_URL:-}" ] || [ -z "$ENDPOINT" ] || sample
    layer
}

# By way of the bucket: it is too large for a request to AWS. A version that is there already serves.
layer() {
    local old
    old=$(call lambda list-layer-versions --layer-name "$LAYER" --max-items 1 --query 'LayerVersions[0].LayerVersionArn' | head -1)
    if [ "$old" != None ] && [ "$(call lambda get-layer-version-by-arn --arn "$old" --query Content.CodeSha256)" = "$(digest "$LAYER_PACKAGE")" ]; then
        echo "$old" >"$FOUND/layer"
        return
    fi
    call s3 cp --only-show-errors "$LAYER_PACKAGE" "s3://$BUCKET/layer/$LAYER.zip"
    call lambda publish-layer-version --layer-name "$LAYER" --description "libduckdb" --license-info MIT \
        --compatible-runtimes provided.al2023 --content "S3Bucket=$BUCKET,S3Key=layer/$LAYER.zip" \
        --query LayerVersionArn >"$FOUND/layer"
}

# What is wrong with the data, or with a run that was given up, comes to a queue.
bus() {
    local policy
    make events create-event-bus --name "$BUS"
    call events put-rule --name "$RULE" --event-bus-name "$BUS" --event-pattern '{"source":["quote-elt","lambda"]}' >/dev/null
    policy=$(jq -cn --arg queue "$QUEUE_ARN" --arg rule "$RULE_ARN" '{Version: "2012-10-17", Statement: [{Effect: "Allow",
        Principal: {Service: "events.amazonaws.com"}, Action: "sqs:SendMessage", Resource: $queue,
        Condition: {ArnEquals: {"aws:SourceArn": $rule}}}]}')
    call sqs create-queue --queue-name "$QUEUE" --query QueueUrl \
        --attributes "$(jq -cn --arg policy "$policy" '{MessageRetentionPeriod: "1209600", Policy: $policy}')" >"$FOUND/queue"
    call events put-targets --rule "$RULE" --event-bus-name "$BUS" --targets "Id=queue,Arn=$QUEUE_ARN" >/dev/null
}

# --- roles: for each function exactly the calls that it makes, on exactly these resources -----------

TO_BUS="{\"Effect\":\"Allow\",\"Action\":\"events:PutEvents\",\"Resource\":\"$BUS_ARN\"}"
TO_LOGS="{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"$(arn logs "log-group:$LOG_GROUP:*")\"}"
TO_INGEST="{\"Effect\":\"Allow\",\"Action\":\"dynamodb:PutItem\",\"Resource\":\"$(arn dynamodb "table/$RAW_TABLE")\"}"
TO_DAILY="{\"Effect\":\"Allow\",\"Action\":\"dynamodb:Query\",\"Resource\":\"$(arn dynamodb "table/$RAW_TABLE")\"},
 {\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetItem\",\"dynamodb:PutItem\"],\"Resource\":\"$(arn dynamodb "table/$HISTORY_TABLE")\"},
 {\"Effect\":\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":[\"arn:$PARTITION:s3:::$BUCKET/quotes_fact/*\",\"arn:$PARTITION:s3:::$BUCKET/quotes_agg/*\"]}"
TO_FUNCTIONS="{\"Effect\":\"Allow\",\"Action\":\"lambda:InvokeFunction\",\"Resource\":[\"$(arn lambda "function:$INGEST")\",\"$(arn lambda "function:$DAILY")\"]}"

# The shared log group is a setting that older CLIs (Debian's) do not know.
logging() {
    if call lambda create-function --generate-cli-skeleton 2>/dev/null | grep -q LoggingConfig; then
        touch "$FOUND/logging"
    fi
}

at_once bucket
at_once bus
at_once logging
at_once table "$RAW_TABLE" ingested_date ingested_at
at_once table "$HISTORY_TABLE" ingested_date
at_once make logs create-log-group --log-group-name "$LOG_GROUP"
# A run that is given up goes to the bus as the function.
at_once role "$INGEST" lambda "$TO_INGEST,$TO_BUS,$TO_LOGS"
at_once role "$DAILY" lambda "$TO_DAILY,$TO_BUS,$TO_LOGS"
at_once role "$SCHEDULER_ROLE" scheduler "$TO_FUNCTIONS"
all_done
if [ -z "${QUOTES_URL:-}" ]; then
    QUOTES_URL=$API
    [ -z "$ENDPOINT" ] || QUOTES_URL=$ENDPOINT/$BUCKET/$SAMPLE_KEY
fi

# --- functions -------------------------------------------------------------------------------------

LAYER_ARN=$(cat "$FOUND/layer")

LOGGING=()
[ ! -f "$FOUND/logging" ] || LOGGING=(--logging-config "LogGroup=$LOG_GROUP")
# The same by a request of its own, where the CLI does not know it.
log_to_group() { # NAME
    [ ${#LOGGING[@]} = 0 ] || return 0
    [ -n "${AWS_ACCESS_KEY_ID:-}" ] || { say "this AWS CLI is too old, and AWS_ACCESS_KEY_ID is not set"; return 1; }
    curl -sS --fail-with-body -o /dev/null -X PUT --aws-sigv4 "aws:amz:$REGION:lambda" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \
        ${AWS_SESSION_TOKEN:+-H "x-amz-security-token: $AWS_SESSION_TOKEN"} -H 'content-type: application/json' \
        -d "{\"LoggingConfig\":{\"LogGroup\":\"$LOG_GROUP\"}}" \
        "${ENDPOINT:-https://lambda.$REGION.amazonaws.com}/2015-03-31/functions/$1/configuration"
    call lambda wait function-updated --function-name "$1"
}

quote_function() { # NAME HANDLER MEMORY TIMEOUT VARIABLES
    function_ "$1" "$PACKAGE" --handler "$2" --timeout "$4" --memory-size "$3" --environment "$5" --layers "$LAYER_ARN" "${LOGGING[@]}"
    log_to_group "$1"
    call lambda put-function-event-invoke-config --function-name "$1" --maximum-retry-attempts 2 \
        --destination-config "{\"OnFailure\":{\"Destination\":\"$BUS_ARN\"}}" >/dev/null
}

at_once quote_function "$INGEST" ingest 128 60 "$(jq -cn --arg table "$RAW_TABLE" --arg url "$QUOTES_URL" \
    '{Variables: {RAW_TABLE: $table, QUOTES_URL: $url}}')"
at_once quote_function "$DAILY" daily "$MEMORY" 900 "$(jq -cn --arg raw "$RAW_TABLE" --arg history "$HISTORY_TABLE" --arg bucket "$BUCKET" \
    --arg bus "$BUS" --arg limits "$LIMITS" \
    '{Variables: {RAW_TABLE: $raw, HISTORY_TABLE: $history, BUCKET: $bucket, BUS: $bus, LIMITS: $limits}}')"
all_done

# --- when they run: each is told the moment that it was due -----------------------------------------

schedule() { # NAME EXPRESSION FUNCTION
    local settings=(--name "$1" --schedule-expression "$2" --state "$SCHEDULES" --flexible-time-window Mode=OFF
        --target "{\"Arn\":\"$(arn lambda "function:$3")\",\"RoleArn\":\"arn:$PARTITION:iam::$ACCOUNT:role/$SCHEDULER_ROLE\",
            \"Input\":\"{\\\"time\\\":\\\"<aws.scheduler.scheduled-time>\\\"}\"}")
    make scheduler create-schedule "${settings[@]}" --query ScheduleArn
    [ -n "$ANSWER" ] || call scheduler update-schedule "${settings[@]}" >/dev/null
}

at_once schedule "$EVERY_MINUTE" "rate(1 minutes)" "$INGEST"
at_once schedule "$EVERY_DAY" "cron(0 12 * * ? *)" "$DAILY"
all_done

echo "INGEST_FUNCTION=$INGEST"
echo "DAILY_FUNCTION=$DAILY"
echo "RAW_TABLE=$RAW_TABLE"
echo "HISTORY_TABLE=$HISTORY_TABLE"
echo "BUCKET=$BUCKET"
echo "BUS=$BUS"
echo "QUALITY_QUEUE_URL=$(cat "$FOUND/queue")"
echo "LOG_GROUP=$LOG_GROUP"
echo "LAYER_ARN=$LAYER_ARN"
echo "QUOTES_URL=$QUOTES_URL"
