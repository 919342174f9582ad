#!/usr/bin/env bash
# Gives everything in the dead-letter queue another try: redrive.sh [ENDPOINT_URL]. Events that the
# function failed on, or whose file it cannot use, are handed to it again; messages that consumers
# failed on go back to the queue. A letter is deleted only after that worked. A file that is still of no
# use makes the same letter again, which stays: each event is handed over once.
#
#   NAME   of the stack (order-aggregation)
set -euo pipefail
ENDPOINT=${1:-}
NAME=${NAME:-order-aggregation}
source "$(dirname "${BASH_SOURCE[0]}")/../aws.sh"
DLQ_URL=$(call sqs get-queue-url --queue-name "$NAME-dead-letters" --query QueueUrl)
QUEUE_URL=$(call sqs get-queue-url --queue-name "$NAME-messages" --query QueueUrl)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
COUNT=0
: >"$WORK/done" # sums of the events handed over
: >"$WORK/left" # receipt handles of those that came back

while true; do
    call sqs receive-message --queue-url "$DLQ_URL" --max-number-of-messages 1 --wait-time-seconds 2 \
        --message-attribute-names All --output json >"$WORK/letter"
    # Splits the letter into body, attributes and receipt handle; nothing when the queue is empty.
    python3 - "$WORK" <<'PY' || break
import json, os, sys
work = sys.argv[1]
text = open(os.path.join(work, "letter")).read()
letters = json.loads(text).get("Messages", []) if text.strip() else []
if not letters:
    sys.exit(1)
letter = letters[0]
body = letter["Body"]
try:
    is_event = "Records" in json.loads(body)
except (ValueError, TypeError):
    is_event = False
attributes = {name: {k: v for k, v in value.items() if k in ("DataType", "StringValue")}
              for name, value in letter.get("MessageAttributes", {}).items()}
for name, content in (("body", body), ("handle", letter["ReceiptHandle"]),
                      ("kind", "event" if is_event else "message"), ("attributes", json.dumps(attributes))):
    with open(os.path.join(work, name), "w") as out:
        out.write(content)
PY
    if [ "$(cat "$WORK/kind")" = event ]; then
        SUM=$(sha256sum <"$WORK/body")
        if grep -qxF "$SUM" "$WORK/done"; then
            cat "$WORK/handle" >>"$WORK/left"
            echo >>"$WORK/left"
            continue
        fi
        echo "$SUM" >>"$WORK/done"
        call lambda invoke --function-name "$NAME" --invocation-type Event \
            --payload "fileb://$WORK/body" "$WORK/reply" >/dev/null
    else
        call sqs send-message --queue-url "$QUEUE_URL" --message-body "file://$WORK/body" \
            --message-attributes "file://$WORK/attributes" >/dev/null
    fi
    call sqs delete-message --queue-url "$DLQ_URL" --receipt-handle "$(cat "$WORK/handle")"
    COUNT=$((COUNT + 1))
done
while read -r HANDLE; do
    call sqs change-message-visibility --queue-url "$DLQ_URL" --receipt-handle "$HANDLE" --visibility-timeout 0
done <"$WORK/left"
echo "REDRIVEN=$COUNT"
