#!/usr/bin/env bash
# Hands everything that the error handler failed on to it again, once the cause is mended: replay.sh
# [ENDPOINT_URL]. Jobs that are settled by now are left as they are. Prints REPLAY=name and STATE=.
#
#   NAME    of the stack (async-jobs)
#   HOURS   how far back (24: what is older has left the stream as well)
set -euo pipefail
ENDPOINT=${1:-}
NAME=${NAME:-async-jobs}
source "$(dirname "${BASH_SOURCE[0]}")/../aws.sh"
HOURS=${HOURS:-24}
NOW=$(date +%s)
REPLAY=${NAME:0:40}-$(date +%H%M%S)-$((RANDOM % 1000))
# A minute beyond now: clocks differ, and an event of this second is meant as well.
call events start-replay --replay-name "$REPLAY" --event-source-arn "$(arn events "archive/$NAME")" \
    --event-start-time "$((NOW - HOURS * 3600))" --event-end-time "$((NOW + 60))" \
    --destination "{\"Arn\":\"$(arn events "event-bus/$NAME")\",\"FilterArns\":[\"$(arn events "rule/$NAME/$NAME-replayed")\"]}" >/dev/null
STATE=STARTING
while [[ $STATE == STARTING || $STATE == RUNNING ]]; do
    STATE=$(call events describe-replay --replay-name "$REPLAY" --query State)
done
echo "REPLAY=$REPLAY"
echo "STATE=$STATE"
[ "$STATE" = COMPLETED ]
