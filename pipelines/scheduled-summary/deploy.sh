#!/usr/bin/env bash
# Deploys the pipeline with the AWS CLI: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes
# only what differs. Prints API_URL=, API_ID=, TABLE=, BUCKET=, API_FUNCTION=, SUMMARY_FUNCTION= and RULE= lines.
#
#   NAME         prefix of all names (scheduled-summary)
#   WEIR_BUILD   build folder with functions/scheduled-summary-*.zip (../../build)
#   ORIGIN       whose pages may use the API (*)
#   WEEKLY       when the summary is written (cron(0 23 ? * SUN *)), in UTC
#   MEMORY       MB of each function (256)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
FUNCTIONS=${WEIR_BUILD:-$HERE/../../build}/functions
ORIGIN=${ORIGIN:-*}
WEEKLY=${WEEKLY:-cron(0 23 ? * SUN *)}
MEMORY=${MEMORY:-256}
for package in api summary; do
    [ -f "$FUNCTIONS/scheduled-summary-$package.zip" ] ||
        { say "no function package in $FUNCTIONS: build first (make build)"; exit 1; }
done

# --- what the functions work on --------------------------------------------------------------------

table() {
    make dynamodb create-table --table-name "$TABLE" --billing-mode PAY_PER_REQUEST \
        --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH
    [ -z "$ANSWER" ] || call dynamodb wait table-exists --table-name "$TABLE"
}

# Versioned, encrypted, nobody else's.
bucket() {
    local where=()
    [ "$REGION" = us-east-1 ] || where=(--create-bucket-configuration "LocationConstraint=$REGION")
    make s3api create-bucket --bucket "$BUCKET" "${where[@]}"
    call s3api put-bucket-versioning --bucket "$BUCKET" --versioning-configuration Status=Enabled
    call s3api put-bucket-encryption --bucket "$BUCKET" --server-side-encryption-configuration \
        '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
    call s3api put-public-access-block --bucket "$BUCKET" --public-access-block-configuration \
        BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
}

# --- roles: for each function exactly the calls that it makes, on exactly these resources -----------

TABLE_ARN=$(arn dynamodb "table/$TABLE")
function_role() { # FUNCTION STATEMENT
    make logs create-log-group --log-group-name "/aws/lambda/$1"
    role "$1" lambda "$2,{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"$(arn logs "log-group:/aws/lambda/$1:*")\"}"
}

at_once table
at_once bucket
at_once function_role "$API_FUNCTION" \
    "{\"Effect\":\"Allow\",\"Action\":[\"dynamodb:GetItem\",\"dynamodb:PutItem\"],\"Resource\":\"$TABLE_ARN\"}"
at_once function_role "$SUMMARY_FUNCTION" \
    "{\"Effect\":\"Allow\",\"Action\":\"dynamodb:Scan\",\"Resource\":\"$TABLE_ARN\"},
     {\"Effect\":\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:$PARTITION:s3:::$BUCKET/summaries/*\"}"
all_done

at_once function_ "$API_FUNCTION" "$FUNCTIONS/scheduled-summary-api.zip" --handler bootstrap --timeout 10 \
    --memory-size "$MEMORY" --environment "{\"Variables\":{\"TABLE\":\"$TABLE\",\"ALLOW_ORIGIN\":\"$ORIGIN\"}}"
at_once function_ "$SUMMARY_FUNCTION" "$FUNCTIONS/scheduled-summary-summary.zip" --handler bootstrap --timeout 900 \
    --memory-size "$MEMORY" --environment "{\"Variables\":{\"TABLE\":\"$TABLE\",\"BUCKET\":\"$BUCKET\"}}"
all_done

# --- what leads to them ------------------------------------------------------------------------------

weekly() {
    local to
    to=$(arn lambda "function:$SUMMARY_FUNCTION")
    call events put-rule --name "$RULE" --schedule-expression "$WEEKLY" --description "how many cars there are" >/dev/null
    make lambda add-permission --function-name "$SUMMARY_FUNCTION" --statement-id weekly --action lambda:InvokeFunction \
        --principal events.amazonaws.com --source-arn "$(arn events "rule/$RULE")"
    call events put-targets --rule "$RULE" --targets "Id=summary,Arn=$to" >/dev/null
}
at_once weekly

DOCUMENT=$(<"$HERE/api.json")
DOCUMENT=${DOCUMENT//@NAME@/"$NAME"}
DOCUMENT=${DOCUMENT//@ORIGIN@/"$ORIGIN"}
DOCUMENT=${DOCUMENT//@MODEL@/"$(<"$HERE/car.schema.json")"}
DOCUMENT=${DOCUMENT//@API_URI@/"$(invocation_uri "$API_FUNCTION")"}
rest_api "$NAME" "$DOCUMENT" "$STAGE"
make lambda add-permission --function-name "$API_FUNCTION" --statement-id api --action lambda:InvokeFunction \
    --principal apigateway.amazonaws.com --source-arn "$(arn execute-api "$API_ID/*/POST/cars")"
all_done

echo "API_URL=$API_URL"
echo "API_ID=$API_ID"
echo "TABLE=$TABLE"
echo "BUCKET=$BUCKET"
echo "API_FUNCTION=$API_FUNCTION"
echo "SUMMARY_FUNCTION=$SUMMARY_FUNCTION"
echo "RULE=$RULE"
