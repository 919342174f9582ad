#!/usr/bin/env bash
# Removes what deploy.sh made, with all data in it: undeploy.sh [ENDPOINT_URL]. What is gone already is
# no error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if call s3api head-bucket --bucket "$BUCKET" >/dev/null 2>&1; then
    remove s3 rm "s3://$BUCKET" --recursive --quiet
fi
remove s3api delete-bucket --bucket "$BUCKET"
remove lambda delete-function --function-name "$FUNCTION"
for queue in "$QUEUE" "$DLQ"; do
    if URL=$(call sqs get-queue-url --queue-name "$queue" --query QueueUrl 2>/dev/null); then
        remove sqs delete-queue --queue-url "$URL"
    fi
done
remove dynamodb delete-table --table-name "$TABLE"
remove iam delete-role-policy --role-name "$ROLE" --policy-name work
remove iam delete-role --role-name "$ROLE"
remove logs delete-log-group --log-group-name "/aws/lambda/$FUNCTION"
say "removed $NAME"
