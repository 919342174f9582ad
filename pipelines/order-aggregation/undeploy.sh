#!/usr/bin/env bash
# Removes what deploy.sh made, with all data in it: undeploy.sh [ENDPOINT_URL]. What is gone already is
# no error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

remove_bucket "$BUCKET"
remove lambda delete-function --function-name "$FUNCTION"
for queue in "$QUEUE" "$DLQ"; do
    if URL=$(call sqs get-queue-url --queue-name "$queue" --query QueueUrl 2>/dev/null); then
        remove sqs delete-queue --queue-url "$URL"
    fi
done
remove dynamodb delete-table --table-name "$TABLE"
remove_role "$ROLE"
remove logs delete-log-group --log-group-name "/aws/lambda/$FUNCTION"
say "removed $NAME"
