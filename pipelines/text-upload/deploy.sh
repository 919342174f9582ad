#!/usr/bin/env bash
# Deploys the pipeline with the AWS CLI: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes
# only what differs. Prints API_URL=, API_ID=, USER_POOL_ID=, CLIENT_ID=, TABLE=, TOPIC_ARN=, UPLOAD_FUNCTION=
# and AUTHORIZER_FUNCTION= lines.
#
#   NAME          prefix of all names (text-upload)
#   WEIR_BUILD    build folder with functions/text-upload-*.zip (../../build)
#   RATE, BURST   how many requests a second the API takes, and at once (100, 200)
#   DURATION_MS   of the function, on average of a period, that is an alarm (5000)
#   PERIOD        of the alarms, in seconds (300)
#   MEMORY        MB of each function (256)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
FUNCTIONS=${WEIR_BUILD:-$HERE/../../build}/functions
RATE=${RATE:-100}
BURST=${BURST:-200}
DURATION_MS=${DURATION_MS:-5000}
PERIOD=${PERIOD:-300}
MEMORY=${MEMORY:-256}
for package in upload authorizer; do
    [ -f "$FUNCTIONS/text-upload-$package.zip" ] ||
        { say "no function package in $FUNCTIONS: build first (make build)"; exit 1; }
done

# What steps that run at once find out.
FOUND=$(mktemp -d)
trap 'rm -rf "$FOUND"' EXIT

# --- who may upload ----------------------------------------------------------------------------------

# Users sign up with their e-mail address; the client is a program, which keeps no secret.
pool() {
    local pool client
    pool=$(pool_id)
    if [ "$pool" = None ]; then
        pool=$(call cognito-idp create-user-pool --pool-name "$POOL" --username-attributes email --auto-verified-attributes email \
            --policies '{"PasswordPolicy":{"MinimumLength":8,"RequireUppercase":true,"RequireLowercase":true,"RequireNumbers":true,"RequireSymbols":false}}' \
            --admin-create-user-config AllowAdminCreateUserOnly=false --query UserPool.Id)
    fi
    client=$(call cognito-idp list-user-pool-clients --user-pool-id "$pool" --query "UserPoolClients[?ClientName=='$NAME'].ClientId | [0]")
    if [ "$client" = None ]; then
        client=$(call cognito-idp create-user-pool-client --user-pool-id "$pool" --client-name "$NAME" --no-generate-secret \
            --explicit-auth-flows ALLOW_USER_PASSWORD_AUTH ALLOW_USER_SRP_AUTH ALLOW_REFRESH_TOKEN_AUTH \
            --prevent-user-existence-errors ENABLED --query UserPoolClient.ClientId)
    fi
    echo "$pool" >"$FOUND/pool"
    echo "$client" >"$FOUND/client"
}

# --- what the functions work on, and as whom ----------------------------------------------------------

table() {
    make dynamodb create-table --table-name "$TABLE" --billing-mode PAY_PER_REQUEST \
        --attribute-definitions AttributeName=upload,AttributeType=S AttributeName=line,AttributeType=N \
        --key-schema AttributeName=upload,KeyType=HASH AttributeName=line,KeyType=RANGE
    [ -z "$ANSWER" ] || call dynamodb wait table-exists --table-name "$TABLE"
}

function_role() { # FUNCTION [STATEMENT]
    make logs create-log-group --log-group-name "/aws/lambda/$1"
    role "$1" lambda "${2:+$2,}{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"$(arn logs "log-group:/aws/lambda/$1:*")\"}"
}

at_once pool
at_once table
at_once make sns create-topic --name "$NAME-alarms"
at_once function_role "$UPLOAD_FUNCTION" \
    "{\"Effect\":\"Allow\",\"Action\":\"dynamodb:BatchWriteItem\",\"Resource\":\"$(arn dynamodb "table/$TABLE")\"}"
at_once function_role "$AUTHORIZER_FUNCTION"
all_done
USER_POOL_ID=$(<"$FOUND/pool")
CLIENT_ID=$(<"$FOUND/client")

at_once function_ "$UPLOAD_FUNCTION" "$FUNCTIONS/text-upload-upload.zip" --handler bootstrap --timeout 29 \
    --memory-size "$MEMORY" --environment "{\"Variables\":{\"TABLE\":\"$TABLE\"}}"
at_once function_ "$AUTHORIZER_FUNCTION" "$FUNCTIONS/text-upload-authorizer.zip" --handler bootstrap --timeout 10 \
    --memory-size "$MEMORY" --environment "{\"Variables\":{\"USER_POOL_ID\":\"$USER_POOL_ID\",\"CLIENT_ID\":\"$CLIENT_ID\"}}"
all_done

# --- the API -------------------------------------------------------------------------------------------

DOCUMENT=$(<"$HERE/api.json")
DOCUMENT=${DOCUMENT//@NAME@/"$NAME"}
DOCUMENT=${DOCUMENT//@UPLOAD_URI@/"$(invocation_uri "$UPLOAD_FUNCTION")"}
DOCUMENT=${DOCUMENT//@AUTHORIZER_URI@/"$(invocation_uri "$AUTHORIZER_FUNCTION")"}
rest_api "$NAME" "$DOCUMENT" "$STAGE"

alarm() { # METRIC STATISTIC THRESHOLD
    call cloudwatch put-metric-alarm --alarm-name "$NAME-$1" --namespace AWS/Lambda --metric-name "$1" \
        --dimensions "Name=FunctionName,Value=$UPLOAD_FUNCTION" --statistic "$2" --period "$PERIOD" --evaluation-periods 1 \
        --threshold "$3" --comparison-operator GreaterThanOrEqualToThreshold --treat-missing-data notBreaching \
        --alarm-actions "$TOPIC_ARN"
}

at_once call apigateway update-stage --rest-api-id "$API_ID" --stage-name "$STAGE" --query stageName --patch-operations \
    "op=replace,path=/*/*/throttling/rateLimit,value=$RATE" "op=replace,path=/*/*/throttling/burstLimit,value=$BURST" >/dev/null
at_once make lambda add-permission --function-name "$UPLOAD_FUNCTION" --statement-id api --action lambda:InvokeFunction \
    --principal apigateway.amazonaws.com --source-arn "$(arn execute-api "$API_ID/*/POST/dataproc")"
at_once make lambda add-permission --function-name "$AUTHORIZER_FUNCTION" --statement-id api --action lambda:InvokeFunction \
    --principal apigateway.amazonaws.com --source-arn "$(arn execute-api "$API_ID/authorizers/*")"
at_once alarm Errors Sum 1
at_once alarm Duration Average "$DURATION_MS"
at_once alarm Throttles Sum 1
all_done

echo "API_URL=$API_URL"
echo "API_ID=$API_ID"
echo "USER_POOL_ID=$USER_POOL_ID"
echo "CLIENT_ID=$CLIENT_ID"
echo "TABLE=$TABLE"
echo "TOPIC_ARN=$TOPIC_ARN"
echo "UPLOAD_FUNCTION=$UPLOAD_FUNCTION"
echo "AUTHORIZER_FUNCTION=$AUTHORIZER_FUNCTION"
