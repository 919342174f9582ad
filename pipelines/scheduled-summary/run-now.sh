#!/usr/bin/env bash
# Writes the summary now, as the rule does by the week: run-now.sh [ENDPOINT_URL]. Prints the function's answer.
#
#   NAME   of the stack (scheduled-summary)
set -euo pipefail
ENDPOINT=${1:-}
source "$(dirname "${BASH_SOURCE[0]}")/../aws.sh"
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
event=$(mktemp)
printf '{"source":"aws.events","detail-type":"Scheduled Event","time":"%s"}' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$event"
fault=$(call lambda invoke --function-name "${NAME:-scheduled-summary}-summary" --payload "fileb://$event" --query FunctionError "$answer")
rm -f "$event"
cat "$answer"
echo
[ "$fault" = None ]
