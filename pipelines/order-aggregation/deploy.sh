#!/usr/bin/env bash
# Deploys the pipeline with the AWS CLI: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes
# only what differs. Prints BUCKET=, QUEUE_URL=, DLQ_URL=, TABLE= and FUNCTION= lines.
#
#   NAME         prefix of all names (order-aggregation)
#   WEIR_BUILD   build folder with functions/order-aggregation.zip (../../build)
#   MEMORY       MB of the function (2048); TIMEOUT in seconds (900)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
PACKAGE=${WEIR_BUILD:-$HERE/../../build}/functions/order-aggregation.zip
MEMORY=${MEMORY:-2048}
TIMEOUT=${TIMEOUT:-900}
[ -f "$PACKAGE" ] || { say "no function package at $PACKAGE: build first (make build)"; exit 1; }

queue_url() {
    call sqs get-queue-url --queue-name "$1" --query QueueUrl 2>/dev/null
}

# Dead letters: events that the function failed on, files that it cannot use, and messages that
# consumers failed on.
DLQ_URL=$(queue_url "$DLQ" || call sqs create-queue --queue-name "$DLQ" \
    --attributes MessageRetentionPeriod=1209600 --query QueueUrl)
REDRIVE="{\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"$DLQ_ARN\\\",\\\"maxReceiveCount\\\":\\\"5\\\"}\"}"
QUEUE_URL=$(queue_url "$QUEUE" || call sqs create-queue --queue-name "$QUEUE" \
    --attributes "$REDRIVE" --query QueueUrl)

if ! call dynamodb describe-table --table-name "$TABLE" >/dev/null 2>&1; then
    call dynamodb create-table --table-name "$TABLE" --billing-mode PAY_PER_REQUEST \
        --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S \
        --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE >/dev/null
    call dynamodb wait table-exists --table-name "$TABLE"
fi

if ! call s3api head-bucket --bucket "$BUCKET" >/dev/null 2>&1; then
    if [ "$REGION" = us-east-1 ]; then
        call s3api create-bucket --bucket "$BUCKET" >/dev/null
    else
        call s3api create-bucket --bucket "$BUCKET" \
            --create-bucket-configuration "LocationConstraint=$REGION" >/dev/null
    fi
fi

# The function's role: exactly the calls that it makes, on exactly these resources. ListBucket, without
# which S3 answers a missing object with "denied"; the dead-letter queue, as Lambda sends there as it.
TRUST='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
POLICY=$(cat <<JSON
{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:$PARTITION:s3:::$BUCKET/*"},
 {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:$PARTITION:s3:::$BUCKET"},
 {"Effect":"Allow","Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:$PARTITION:s3:::$BUCKET/rejects/*"},
 {"Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:BatchWriteItem"],"Resource":"$TABLE_ARN"},
 {"Effect":"Allow","Action":"sqs:SendMessage","Resource":["$QUEUE_ARN","$DLQ_ARN"]},
 {"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:$PARTITION:logs:$REGION:$ACCOUNT:*"}]}
JSON
)
call iam get-role --role-name "$ROLE" >/dev/null 2>&1 ||
    call iam create-role --role-name "$ROLE" --assume-role-policy-document "$TRUST" >/dev/null
call iam put-role-policy --role-name "$ROLE" --policy-name work --policy-document "$POLICY"

VARIABLES="{\"Variables\":{\"TABLE\":\"$TABLE\",\"QUEUE_URL\":\"$QUEUE_URL\",\"DLQ_URL\":\"$DLQ_URL\"}}"
function_ "$FUNCTION" "$PACKAGE" --handler bootstrap --timeout "$TIMEOUT" --memory-size "$MEMORY" --environment "$VARIABLES" \
    --dead-letter-config "TargetArn=$DLQ_ARN"

if ! call lambda get-policy --function-name "$FUNCTION" 2>/dev/null | grep -q '"bucket"'; then
    call lambda add-permission --function-name "$FUNCTION" --statement-id bucket \
        --action lambda:InvokeFunction --principal s3.amazonaws.com \
        --source-arn "arn:$PARTITION:s3:::$BUCKET" --source-account "$ACCOUNT" >/dev/null
fi
# Of every object, not of *.csv alone: a file with a name of its own is told, not passed over.
call s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration \
    "{\"LambdaFunctionConfigurations\":[{\"Id\":\"files\",\"LambdaFunctionArn\":\"$FUNCTION_ARN\",\"Events\":[\"s3:ObjectCreated:*\"]}]}"

echo "BUCKET=$BUCKET"
echo "QUEUE_URL=$QUEUE_URL"
echo "DLQ_URL=$DLQ_URL"
echo "TABLE=$TABLE"
echo "FUNCTION=$FUNCTION"
