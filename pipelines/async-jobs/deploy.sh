#!/usr/bin/env bash
# Deploys the pipeline with the AWS CLI: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes
# only what differs. Prints TABLE=, STREAM_ARN=, WORDS_FUNCTION=, SUM_FUNCTION=, ERRORS_FUNCTION=,
# TOPIC_ARN=, BUS=, ARCHIVE=, RULE_ARN= and KEY_ARN= lines.
#
#   NAME         prefix of all names (async-jobs)
#   WEIR_BUILD   build folder with functions/async-jobs-*.zip (../../build)
#   MARKING      on; anything else makes the error handler fail, to see what becomes of that
#   RETRIES      tries of a batch after its first (2); ERROR_RETRIES of the error handler's events (2)
#   MEMORY       MB of each function (256)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
FUNCTIONS=${WEIR_BUILD:-$HERE/../../build}/functions
MARKING=${MARKING:-on}
RETRIES=${RETRIES:-2}
ERROR_RETRIES=${ERROR_RETRIES:-2}
MEMORY=${MEMORY:-256}
RECORD_AGE_S=86400 # as long as a stream keeps them
ARCHIVE_DAYS=14
for package in consumer errors; do
    [ -f "$FUNCTIONS/async-jobs-$package.zip" ] ||
        { say "no function package in $FUNCTIONS: build first (make build)"; exit 1; }
done

# Makes something encrypted under the key: make_encrypted OPTION VALUE COMMAND...
make_encrypted() {
    make "${@:3}" "$1" "$2"
}

# --- the key ---------------------------------------------------------------------------------------

# For whoever its account allows, and for the log groups.
KEY_POLICY=$(cat <<JSON
{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Principal":{"AWS":"arn:$PARTITION:iam::$ACCOUNT:root"},"Action":"kms:*","Resource":"*"},
 {"Effect":"Allow","Principal":{"Service":"logs.$REGION.amazonaws.com"},"Resource":"*",
  "Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],
  "Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":"$(arn logs "log-group:/aws/lambda/$NAME-*")"}}}]}
JSON
)
if ! KEY_ARN=$(call kms describe-key --key-id "$KEY_ALIAS" --query KeyMetadata.Arn 2>/dev/null); then
    KEY_ARN=$(call kms create-key --description "$NAME" --policy "$KEY_POLICY" --query KeyMetadata.Arn)
    call kms create-alias --alias-name "$KEY_ALIAS" --target-key-id "$KEY_ARN" >/dev/null
fi

# --- what the functions work on --------------------------------------------------------------------

table() {
    make_encrypted --sse-specification "Enabled=true,SSEType=KMS,KMSMasterKeyId=$KEY_ARN" \
        dynamodb create-table --table-name "$TABLE" --billing-mode PAY_PER_REQUEST \
        --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH \
        --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES
    call dynamodb wait table-exists --table-name "$TABLE"
}

topic() {
    make_encrypted --attributes "KmsMasterKeyId=$KEY_ARN" sns create-topic --name "$NAME-given-up"
}

# The archive keeps what the error handler failed on; the rule sees replays only, so that nothing goes
# round by itself.
bus() {
    make events create-event-bus --name "$BUS"
    make events create-archive --archive-name "$ARCHIVE" --event-source-arn "$BUS_ARN" \
        --retention-days "$ARCHIVE_DAYS" \
        --event-pattern '{"source":["lambda"],"detail-type":["Lambda Function Invocation Result - Failure"]}'
    call events put-rule --name "$RULE" --event-bus-name "$BUS" \
        --event-pattern '{"source":["lambda"],"replay-name":[{"exists":true}]}' >/dev/null
}

# --- roles: for each function exactly the calls that it makes, on exactly these resources -----------

TRUST='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
TO_JOBS="{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetItem\",\"dynamodb:UpdateItem\"],\"Resource\":\"$TABLE_ARN\"}"
TO_KEY="{\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey\"],\"Resource\":\"$KEY_ARN\"}"
# Lambda reads the stream, and sends to topic and bus, as the function.
CONSUMER="{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:DescribeStream\",\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\"],\"Resource\":\"$TABLE_ARN/stream/*\"},
 {\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"$TOPIC_ARN\"}"
HANDLER="{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\"],\"Resource\":\"$TABLE_ARN/stream/*\"},
 {\"Effect\":\"Allow\",\"Action\":\"events:PutEvents\",\"Resource\":\"$BUS_ARN\"}"

role() { # FUNCTION STATEMENTS
    local logs="{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"$(arn logs "log-group:/aws/lambda/$1:*")\"}"
    make_encrypted --kms-key-id "$KEY_ARN" logs create-log-group --log-group-name "/aws/lambda/$1"
    make iam create-role --role-name "$1" --assume-role-policy-document "$TRUST"
    call iam put-role-policy --role-name "$1" --policy-name work \
        --policy-document "{\"Version\":\"2012-10-17\",\"Statement\":[$2,$TO_JOBS,$TO_KEY,$logs]}"
}

at_once table
at_once topic
at_once bus
at_once role "$WORDS" "$CONSUMER"
at_once role "$SUM" "$CONSUMER"
at_once role "$ERRORS" "$HANDLER"
all_done

# --- functions -------------------------------------------------------------------------------------

case $(uname -m) in
aarch64) ARCHITECTURE=arm64 ;;
*) ARCHITECTURE=x86_64 ;;
esac

function_() { # NAME PACKAGE VARIABLES
    local old new fault try package=$FUNCTIONS/$2.zip
    local settings=(--timeout 60 --memory-size "$MEMORY" --environment "{\"Variables\":$3}"
        --role "arn:$PARTITION:iam::$ACCOUNT:role/$1" --runtime provided.al2023 --handler bootstrap)
    if old=$(call lambda get-function --function-name "$1" --query Configuration.CodeSha256 2>/dev/null); then
        call lambda update-function-configuration --function-name "$1" "${settings[@]}" >/dev/null
        call lambda wait function-updated --function-name "$1"
        new=$(digest "$package")
        [ "$old" != "$new" ] || return 0
        call lambda update-function-code --function-name "$1" --zip-file "fileb://$package" >/dev/null
        call lambda wait function-updated --function-name "$1"
        return
    fi
    # A new role takes IAM a while to know everywhere.
    for try in 1 2 3 4 5 6 7 8 9 10; do
        if fault=$(call lambda create-function --function-name "$1" "${settings[@]}" \
            --architectures "$ARCHITECTURE" --zip-file "fileb://$package" 2>&1 >/dev/null); then
            break
        fi
        [[ $fault == *"cannot be assumed"* && $try != 10 ]] || { say "$fault"; return 1; }
        sleep 3
    done
    call lambda wait function-active-v2 --function-name "$1"
}

at_once function_ "$WORDS" async-jobs-consumer "{\"TABLE\":\"$TABLE\"}"
at_once function_ "$SUM" async-jobs-consumer "{\"TABLE\":\"$TABLE\"}"
at_once function_ "$ERRORS" async-jobs-errors \
    "{\"TABLE\":\"$TABLE\",\"WORDS_FUNCTION_ARN\":\"$(arn lambda "function:$WORDS")\",\"MARKING\":\"$MARKING\"}"
STREAM_ARN=$(call dynamodb describe-table --table-name "$TABLE" --query Table.LatestStreamArn)
all_done

# --- what leads to what ----------------------------------------------------------------------------

# New jobs to their consumer. Each filter is the other's opposite, so that a job of no known kind fails
# where somebody sees it.
mapping() { # FUNCTION KINDS
    local uuid settings=(--batch-size 25 --maximum-retry-attempts "$RETRIES"
        --maximum-record-age-in-seconds "$RECORD_AGE_S" --bisect-batch-on-function-error
        --function-response-types ReportBatchItemFailures
        --destination-config "{\"OnFailure\":{\"Destination\":\"$TOPIC_ARN\"}}"
        --filter-criteria "{\"Filters\":[{\"Pattern\":\"{\\\"eventName\\\":[\\\"INSERT\\\"],\\\"dynamodb\\\":{\\\"NewImage\\\":{\\\"kind\\\":{\\\"S\\\":$2}}}}\"}]}")
    uuid=$(call lambda list-event-source-mappings --function-name "$1" --event-source-arn "$STREAM_ARN" \
        --query 'EventSourceMappings[].UUID')
    if [ -n "$uuid" ]; then
        call lambda update-event-source-mapping --uuid "$uuid" "${settings[@]}" >/dev/null
    else
        call lambda create-event-source-mapping --function-name "$1" --event-source-arn "$STREAM_ARN" \
            --starting-position TRIM_HORIZON "${settings[@]}" >/dev/null
    fi
}

# What the consumers fail on to the error handler; what that fails on to the bus, and replays to it again.
errors() {
    local to
    to=$(arn lambda "function:$ERRORS")
    call lambda put-function-event-invoke-config --function-name "$ERRORS" \
        --maximum-retry-attempts "$ERROR_RETRIES" \
        --destination-config "{\"OnFailure\":{\"Destination\":\"$BUS_ARN\"}}" >/dev/null
    make lambda add-permission --function-name "$ERRORS" --statement-id topic --action lambda:InvokeFunction \
        --principal sns.amazonaws.com --source-arn "$TOPIC_ARN"
    make lambda add-permission --function-name "$ERRORS" --statement-id rule --action lambda:InvokeFunction \
        --principal events.amazonaws.com --source-arn "$RULE_ARN"
    call sns subscribe --topic-arn "$TOPIC_ARN" --protocol lambda --notification-endpoint "$to" >/dev/null
    call events put-targets --rule "$RULE" --event-bus-name "$BUS" \
        --targets "Id=errors,Arn=$to,InputPath=\$.detail.requestPayload" >/dev/null
}

# The way out first: a job that is there already may fail at once.
errors
at_once mapping "$WORDS" '[\"words\"]'
at_once mapping "$SUM" '[{\"anything-but\":[\"words\"]},{\"exists\":false}]'
all_done

echo "TABLE=$TABLE"
echo "STREAM_ARN=$STREAM_ARN"
echo "WORDS_FUNCTION=$WORDS"
echo "SUM_FUNCTION=$SUM"
echo "ERRORS_FUNCTION=$ERRORS"
echo "TOPIC_ARN=$TOPIC_ARN"
echo "BUS=$BUS"
echo "ARCHIVE=$ARCHIVE"
echo "RULE_ARN=$RULE_ARN"
echo "KEY_ARN=$KEY_ARN"
