#!/usr/bin/env bash
# Removes what deploy.sh made, with all jobs in it: undeploy.sh [ENDPOINT_URL]. What is gone already is no
# error. The key cannot go at once: it is disabled, and deleted after the seven days that KMS asks for.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
KEY_DAYS=7

# A consumer, or the error handler: mappings before their function.
function_() {
    local uuid
    for uuid in $(call lambda list-event-source-mappings --function-name "$1" \
        --query 'EventSourceMappings[].UUID' 2>/dev/null); do
        remove lambda delete-event-source-mapping --uuid "$uuid"
    done
    remove lambda delete-function --function-name "$1"
    remove iam delete-role-policy --role-name "$1" --policy-name work
    remove iam delete-role --role-name "$1"
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

at_once function_ "$WORDS"
at_once function_ "$SUM"
at_once function_ "$ERRORS"
all_done
at_once bus
at_once topic
at_once remove dynamodb delete-table --table-name "$TABLE"
at_once key
all_done
say "removed $NAME"
