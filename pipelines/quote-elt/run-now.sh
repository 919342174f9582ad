#!/usr/bin/env bash
# Runs a function now: run-now.sh ENDPOINT_URL ingest [TIME] or run-now.sh ENDPOINT_URL daily [DATE]; "" is AWS
# itself. Prints what it answers.
#
#   ingest 2026-11-28T12:34:00Z   writes to that moment what the API says now (default: this moment)
#   daily 2026-11-28              works on that day again, or for the first time (default: yesterday)
#
#   NAME   of the stack (quote-elt)
set -euo pipefail
ENDPOINT=${1:-}
NAME=${NAME:-quote-elt}
source "$(dirname "${BASH_SOURCE[0]}")/../aws.sh"
case ${2:-} in
ingest) FUNCTION=$NAME-ingest KEY=time ;;
daily) FUNCTION=$NAME-daily KEY=date ;;
*)
    say "usage: run-now.sh ENDPOINT_URL ingest [TIME] | daily [DATE]"
    exit 2
    ;;
esac
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
echo {} >"$WORK/event"
[ -z "${3:-}" ] || echo "{\"$KEY\":\"$3\"}" >"$WORK/event"
# From a file: versions of the CLI disagree about what a payload on the command line is.
FAULT=$(call lambda invoke --function-name "$FUNCTION" --cli-read-timeout 0 --payload "fileb://$WORK/event" \
    --query FunctionError "$WORK/answer")
cat "$WORK/answer"
echo
[ "$FAULT" = None ]
