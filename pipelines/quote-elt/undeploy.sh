#!/usr/bin/env bash
# Removes what deploy.sh made, with all that was collected: undeploy.sh [ENDPOINT_URL]. What is gone already
# is no error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

layer() {
    local version
    for version in $(call lambda list-layer-versions --layer-name "$LAYER" --query 'LayerVersions[].Version' 2>/dev/null); do
        [ "$version" = None ] || remove lambda delete-layer-version --layer-name "$LAYER" --version-number "$version"
    done
}

bus() {
    local url
    remove events remove-targets --rule "$RULE" --event-bus-name "$BUS" --ids queue
    remove events delete-rule --name "$RULE" --event-bus-name "$BUS"
    remove events delete-event-bus --name "$BUS"
    url=$(call sqs get-queue-url --queue-name "$QUEUE" --query QueueUrl 2>/dev/null) || return 0
    remove sqs delete-queue --queue-url "$url"
}

# Schedules and functions first, so that nothing writes into what goes.
at_once remove scheduler delete-schedule --name "$EVERY_MINUTE"
at_once remove scheduler delete-schedule --name "$EVERY_DAY"
all_done
at_once remove_function "$INGEST"
at_once remove_function "$DAILY"
at_once remove_role "$SCHEDULER_ROLE"
all_done
at_once layer
at_once bus
at_once remove_bucket "$BUCKET"
at_once remove dynamodb delete-table --table-name "$RAW_TABLE"
at_once remove dynamodb delete-table --table-name "$HISTORY_TABLE"
at_once remove logs delete-log-group --log-group-name "$LOG_GROUP"
all_done
say "removed $NAME"
