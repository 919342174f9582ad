# Names and the AWS CLI call shared by deploy.sh, undeploy.sh and run-now.sh. Sourced, not run.
#
# Every name derives from $NAME (default quote-elt), so that several copies can live side by side. The
# first argument of the scripts is an endpoint URL; without one, or with "", they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-quote-elt}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export AWS_PAGER=

call() {
    if [ -n "$ENDPOINT" ]; then
        aws --endpoint-url "$ENDPOINT" --output text "$@"
    else
        aws --output text "$@"
    fi
}

say() {
    echo "$*" >&2
}

# Steps that need nothing of each other run at once: `at_once step args...`, then `all_done`.
STEPS=()
at_once() {
    "$@" &
    STEPS+=($!)
}
all_done() {
    local step failed=0
    for step in "${STEPS[@]}"; do
        wait "$step" || failed=1
    done
    STEPS=()
    [ "$failed" = 0 ] || exit 1
}

REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
REGION=${REGION:-us-east-1}
export AWS_DEFAULT_REGION=$REGION
IDENTITY=$(call sts get-caller-identity --query '[Account,Arn]')
ACCOUNT=$(echo "$IDENTITY" | cut -f1)
PARTITION=$(echo "$IDENTITY" | cut -f2 | cut -d: -f2)

arn() { # SERVICE RESOURCE
    echo "arn:$PARTITION:$1:$REGION:$ACCOUNT:$2"
}

INGEST=$NAME-ingest # functions, and the roles of the same names
DAILY=$NAME-daily
SCHEDULER_ROLE=$NAME-scheduler
RAW_TABLE=$NAME-raw
HISTORY_TABLE=$NAME-history
BUCKET=${BUCKET:-$NAME-$ACCOUNT-$REGION}
LAYER=$NAME-duckdb
LOG_GROUP=/quotes/$NAME
BUS=$NAME
BUS_ARN=$(arn events "event-bus/$BUS")
RULE=$NAME-quality
RULE_ARN=$(arn events "rule/$BUS/$RULE")
QUEUE=$NAME-quality
QUEUE_ARN=$(arn sqs "$QUEUE")
EVERY_MINUTE=$NAME-ingest # schedules, of the default group
EVERY_DAY=$NAME-daily
# Where the demonstration's documents lie, in place of the public API.
SAMPLE_KEY=api/quotes/random
