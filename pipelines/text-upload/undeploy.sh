#!/usr/bin/env bash
# Removes what deploy.sh made, with all users and lines: undeploy.sh [ENDPOINT_URL]. What is gone already is no
# error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pool() {
    local pool
    pool=$(pool_id)
    [ "$pool" = None ] || remove cognito-idp delete-user-pool --user-pool-id "$pool"
}

at_once remove_rest_api "$NAME"
at_once remove cloudwatch delete-alarms --alarm-names "$NAME-Errors" "$NAME-Duration" "$NAME-Throttles"
all_done
at_once remove_function "$UPLOAD_FUNCTION"
at_once remove_function "$AUTHORIZER_FUNCTION"
at_once pool
at_once remove sns delete-topic --topic-arn "$TOPIC_ARN"
all_done
at_once remove dynamodb delete-table --table-name "$TABLE"
at_once remove logs delete-log-group --log-group-name "/aws/lambda/$UPLOAD_FUNCTION"
at_once remove logs delete-log-group --log-group-name "/aws/lambda/$AUTHORIZER_FUNCTION"
all_done
say "removed $NAME"
