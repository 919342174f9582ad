#!/usr/bin/env bash
# Removes what deploy.sh made, with all cars and summaries: undeploy.sh [ENDPOINT_URL]. What is gone already
# is no error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

weekly() {
    remove events remove-targets --rule "$RULE" --ids summary
    remove events delete-rule --name "$RULE"
}

at_once remove_rest_api "$NAME"
at_once weekly
all_done
at_once remove_function "$API_FUNCTION"
at_once remove_function "$SUMMARY_FUNCTION"
all_done
at_once remove_bucket "$BUCKET"
at_once remove dynamodb delete-table --table-name "$TABLE"
at_once remove logs delete-log-group --log-group-name "/aws/lambda/$API_FUNCTION"
at_once remove logs delete-log-group --log-group-name "/aws/lambda/$SUMMARY_FUNCTION"
all_done
say "removed $NAME"
