#!/usr/bin/env bash
# Runs a function now: run-now.sh ENDPOINT_URL ingest [TIME] or run-now.sh ENDPOINT_URL daily [DATE]; "" is AWS
# itself. Prints what it answers.
#
#   ingest 2026-11-28T12:34:00Z   writes to that moment what the API says now (default: this moment)
#   daily 2026-11-28              works on that day again, or for the first time (default: yesterday)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
case ${2:-} in
ingest) FUNCTION=$INGEST KEY=time ;;
daily) FUNCTION=$DAILY KEY=date ;;
*)
    say "usage: run-now.sh ENDPOINT_URL ingest [TIME] | daily [DATE]"
    exit 2
    ;;
esac
EVENT={}
[ -z "${3:-}" ] || EVENT="{\"$KEY\":\"$3\"}"
BINARY=()
[[ $(aws --version 2>&1) == aws-cli/1.* ]] || BINARY=(--cli-binary-format raw-in-base64-out)
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT
FAULT=$(call lambda invoke --function-name "$FUNCTION" "${BINARY[@]}" --cli-read-timeout 0 --payload "$EVENT" --query FunctionError "$ANSWER")
cat "$ANSWER"
echo
[ "$FAULT" = None ]
