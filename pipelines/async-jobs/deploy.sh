#!/usr/bin/env bash
# Deploys the pipeline with the AWS CLI: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes
# only what differs. Prints API_URL=, API_ID=, CALLER_ROLE_ARN=, TABLE=, STREAM_ARN=, WORDS_FUNCTION=, SUM_FUNCTION=, ERRORS_FUNCTION=,
# TOPIC_ARN=, BUS=, ARCHIVE=, RULE_ARN= and KEY_ARN= lines.
#
#   NAME         prefix of all names (async-jobs)
#   WEIR_BUILD   build folder with functions/async-jobs-*.zip (../../build)
#   MARKING      on; anything else makes the error handler fail, to see what becomes of that
#   RETRIES      tries of a batch after its first (2); ERROR_RETRIES of the error handler's events (2)
#   MEMORY       MB of each function (256)
#   RATE, BURST  how many requests a second the API takes, and at once (100, 200)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
FUNCTIONS=${WEIR_BUILD:-$HERE/../../build}/functions
MARKING=${MARKING:-on}
RETRIES=${RETRIES:-2}
ERROR_RETRIES=${ERROR_RETRIES:-2}
MEMORY=${MEMORY:-256}
RATE=${RATE:-100}
BURST=${BURST:-200}
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
  "Condition":{"ArnLike":{"kms:EncryptionContext:aws:logs:arn":["$(arn logs "log-group:/aws/lambda/$NAME-*")","$(arn logs "log-group:$ACCESS_LOG")"]}}}]}
JSON
)
if ! KEY_ARN=$(call kms describe-key --key-id "$KEY_ALIAS" --query KeyMetadata.Arn 2>/dev/null); then
    KEY_ARN=$(call kms create-key --description "$NAME" --policy "$KEY_POLICY" --query KeyMetadata.Arn)
    call kms create-alias --alias-name "$KEY_ALIAS" --target-key-id "$KEY_ARN" >/dev/null
fi
call kms put-key-policy --key-id "$KEY_ARN" --policy-name default --policy "$KEY_POLICY"

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

TO_JOBS="{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetItem\",\"dynamodb:UpdateItem\"],\"Resource\":\"$TABLE_ARN\"}"
TO_KEY="{\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey\"],\"Resource\":\"$KEY_ARN\"}"
# Lambda reads the stream, and sends to topic and bus, as the function.
CONSUMER="{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:DescribeStream\",\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\"],\"Resource\":\"$TABLE_ARN/stream/*\"},
 {\"Effect\":\"Allow\",\"Action\":\"sns:Publish\",\"Resource\":\"$TOPIC_ARN\"}"
HANDLER="{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\"],\"Resource\":\"$TABLE_ARN/stream/*\"},
 {\"Effect\":\"Allow\",\"Action\":\"events:PutEvents\",\"Resource\":\"$BUS_ARN\"}"

function_role() { # FUNCTION STATEMENTS
    local logs="{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"$(arn logs "log-group:/aws/lambda/$1:*")\"}"
    make_encrypted --kms-key-id "$KEY_ARN" logs create-log-group --log-group-name "/aws/lambda/$1"
    role "$1" lambda "$2,$TO_JOBS,$TO_KEY,$logs"
}

# The gateway writes and reads items as itself; whoever calls it is somebody with the right to. What it logs, it
# logs as one role for the whole account.
api_roles() {
    role "$API_ROLE" apigateway "{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetItem\",\"dynamodb:PutItem\"],\"Resource\":\"$TABLE_ARN\"},$TO_KEY"
    make iam create-role --role-name "$CALLER_ROLE" --assume-role-policy-document \
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"$ACCOUNT\"},\"Action\":\"sts:AssumeRole\"}]}"
    make_encrypted --kms-key-id "$KEY_ARN" logs create-log-group --log-group-name "$ACCESS_LOG"
    if [ "$(call apigateway get-account --query cloudwatchRoleArn)" = None ]; then
        role "$GATEWAY_LOGS_ROLE" apigateway "{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:DescribeLogGroups\",\"logs:DescribeLogStreams\",\"logs:PutLogEvents\",\"logs:GetLogEvents\",\"logs:FilterLogEvents\"],\"Resource\":\"*\"}"
        call apigateway update-account --query cloudwatchRoleArn --patch-operations \
            "op=replace,path=/cloudwatchRoleArn,value=arn:$PARTITION:iam::$ACCOUNT:role/$GATEWAY_LOGS_ROLE" >/dev/null
    fi
}

at_once table
at_once topic
at_once api_roles
at_once bus
at_once function_role "$WORDS" "$CONSUMER"
at_once function_role "$SUM" "$CONSUMER"
at_once function_role "$ERRORS" "$HANDLER"
all_done

# --- functions -------------------------------------------------------------------------------------

job_function() { # NAME PACKAGE VARIABLES
    function_ "$1" "$FUNCTIONS/$2.zip" --handler bootstrap --timeout 60 --memory-size "$MEMORY" --environment "{\"Variables\":$3}"
}

at_once job_function "$WORDS" async-jobs-consumer "{\"TABLE\":\"$TABLE\"}"
at_once job_function "$SUM" async-jobs-consumer "{\"TABLE\":\"$TABLE\"}"
at_once job_function "$ERRORS" async-jobs-errors \
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

# --- the API -----------------------------------------------------------------------------------------

text_of() { # FILE
    jq -Rs --arg table "$TABLE" 'gsub("@TABLE@"; $table)' "$HERE/$1"
}
ACCESS_FORMAT='{"requestId":"$context.requestId","ip":"$context.identity.sourceIp","caller":"$context.identity.caller","user":"$context.identity.user","time":"$context.requestTime","method":"$context.httpMethod","resource":"$context.resourcePath","status":"$context.status","protocol":"$context.protocol","length":"$context.responseLength"}'

DOCUMENT=$(<"$HERE/api.json")
DOCUMENT=${DOCUMENT//@NAME@/"$NAME"}
DOCUMENT=${DOCUMENT//@ROLE_ARN@/"arn:$PARTITION:iam::$ACCOUNT:role/$API_ROLE"}
DOCUMENT=${DOCUMENT//@PUT_URI@/"arn:$PARTITION:apigateway:$REGION:dynamodb:action/PutItem"}
DOCUMENT=${DOCUMENT//@GET_URI@/"arn:$PARTITION:apigateway:$REGION:dynamodb:action/GetItem"}
DOCUMENT=${DOCUMENT//@PUT_REQUEST@/"$(text_of put-request.vtl)"}
DOCUMENT=${DOCUMENT//@GET_REQUEST@/"$(text_of get-request.vtl)"}
DOCUMENT=${DOCUMENT//@GET_RESPONSE@/"$(text_of get-response.vtl)"}
rest_api "$NAME" "$DOCUMENT" "$STAGE"
call apigateway update-stage --rest-api-id "$API_ID" --stage-name "$STAGE" --query stageName --patch-operations \
    "$(jq -cn --arg rate "$RATE" --arg burst "$BURST" --arg group "$(arn logs "log-group:$ACCESS_LOG")" --arg format "$ACCESS_FORMAT" \
        'def set(path; value): {op: "replace", path: path, value: value};
         [set("/*/*/throttling/rateLimit"; $rate), set("/*/*/throttling/burstLimit"; $burst),
          set("/accessLogSettings/destinationArn"; $group), set("/accessLogSettings/format"; $format)]')" >/dev/null
call iam put-role-policy --role-name "$CALLER_ROLE" --policy-name work --policy-document \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"execute-api:Invoke\",\"Resource\":[\"$(arn execute-api "$API_ID/$STAGE/POST/jobs")\",\"$(arn execute-api "$API_ID/$STAGE/GET/jobs/*")\"]}]}"

echo "API_URL=$API_URL"
echo "API_ID=$API_ID"
echo "CALLER_ROLE_ARN=arn:$PARTITION:iam::$ACCOUNT:role/$CALLER_ROLE"
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
