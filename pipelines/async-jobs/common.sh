# Names and the AWS CLI call shared by deploy.sh, undeploy.sh and replay.sh. Sourced, not run.
#
# Every name derives from $NAME (default async-jobs), so that several copies can live side by side. The
# first argument of the scripts is an endpoint URL; without one they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-async-jobs}
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

TABLE=$NAME
TABLE_ARN=$(arn dynamodb "table/$TABLE")
TOPIC_ARN=$(arn sns "$NAME-given-up")
BUS=$NAME
BUS_ARN=$(arn events "event-bus/$BUS")
ARCHIVE=${NAME:0:48}
ARCHIVE_ARN=$(arn events "archive/$ARCHIVE")
RULE=$NAME-replayed
RULE_ARN=$(arn events "rule/$BUS/$RULE")
KEY_ALIAS=alias/$NAME
# The functions, and what each takes of their names: role, log group, code.
WORDS=$NAME-words
SUM=$NAME-sum
ERRORS=$NAME-errors
