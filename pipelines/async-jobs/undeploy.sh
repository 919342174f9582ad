#!/usr/bin/env bash
# Removes what deploy.sh made, with all jobs in it: undeploy.sh [ENDPOINT_URL]. What is gone already is no
# error. The key cannot go at once: it is disabled, and deleted after the seven days that KMS asks for.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
KEY_DAYS=7

# A consumer, or the error handler: mappings before their function.
job_function() {
    local uuid
    for uuid in $(call lambda list-event-source-mappings --function-name "$1" \
        --query 'EventSourceMappings[].UUID' 2>/dev/null); do
        remove lambda delete-event-source-mapping --uuid "$uuid"
    done
    remove_function "$1"
    remove logs delete-log-group --log-group-name "/aws/lambda/$1"
}

bus() {
    remove events remove-targets --rule "$RULE" --event-bus-name "$BUS" --ids errors
    remove events delete-rule --name "$RULE" --event-bus-name "$BUS"
    remove events delete-archive --archive-name "$ARCHIVE"
    remove events delete-event-bus --name "$BUS"
}

topic() {
    local subscription
    for subscription in $(call sns list-subscriptions-by-topic --topic-arn "$TOPIC_ARN" \
        --query 'Subscriptions[].SubscriptionArn' 2>/dev/null); do
        remove sns unsubscribe --subscription-arn "$subscription"
    done
    remove sns delete-topic --topic-arn "$TOPIC_ARN"
}

key() {
    local key
    if key=$(call kms describe-key --key-id "$KEY_ALIAS" --query KeyMetadata.KeyId 2>/dev/null); then
        remove kms delete-alias --alias-name "$KEY_ALIAS"
        remove kms schedule-key-deletion --key-id "$key" --pending-window-in-days "$KEY_DAYS"
    fi
}

# The role that the account's gateway logs as goes with the pipeline only if it is the pipeline's.
api() {
    remove_rest_api "$NAME"
    if [ "$(call apigateway get-account --query cloudwatchRoleArn)" = "arn:$PARTITION:iam::$ACCOUNT:role/$GATEWAY_LOGS_ROLE" ]; then
        call apigateway update-account --query cloudwatchRoleArn --patch-operations "op=replace,path=/cloudwatchRoleArn,value=" >/dev/null
    fi
    remove_role "$GATEWAY_LOGS_ROLE"
    remove_role "$API_ROLE"
    remove_role "$CALLER_ROLE"
    remove logs delete-log-group --log-group-name "$ACCESS_LOG"
}

at_once api
at_once job_function "$WORDS"
at_once job_function "$SUM"
at_once job_function "$ERRORS"
all_done
at_once bus
at_once topic
at_once remove dynamodb delete-table --table-name "$TABLE"
at_once key
all_done
say "removed $NAME"
