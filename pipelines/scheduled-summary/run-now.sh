#!/usr/bin/env bash
# Writes the summary now, as the rule does by the week: run-now.sh [ENDPOINT_URL]. Prints the function's answer.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
event=$(mktemp)
printf '{"source":"aws.events","detail-type":"Scheduled Event","time":"%s"}' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$event"
fault=$(call lambda invoke --function-name "$SUMMARY_FUNCTION" --payload "fileb://$event" --query FunctionError "$answer")
rm -f "$event"
cat "$answer"
echo
[ "$fault" = None ]
