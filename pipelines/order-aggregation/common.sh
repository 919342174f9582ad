# Names and the AWS CLI call shared by deploy.sh, undeploy.sh and redrive.sh. Sourced, not run.
#
# Every name derives from $NAME (default order-aggregation), so that several copies can live side by
# side. The first argument of the scripts is an endpoint URL; without one they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-order-aggregation}
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

REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
REGION=${REGION:-us-east-1}
export AWS_DEFAULT_REGION=$REGION
IDENTITY=$(call sts get-caller-identity --query '[Account,Arn]')
ACCOUNT=$(echo "$IDENTITY" | cut -f1)
PARTITION=$(echo "$IDENTITY" | cut -f2 | cut -d: -f2)

BUCKET=${BUCKET:-$NAME-$ACCOUNT-$REGION}
QUEUE=$NAME-messages
DLQ=$NAME-dead-letters
TABLE=$NAME
FUNCTION=$NAME
ROLE=$NAME-function
QUEUE_ARN=arn:$PARTITION:sqs:$REGION:$ACCOUNT:$QUEUE
DLQ_ARN=arn:$PARTITION:sqs:$REGION:$ACCOUNT:$DLQ
TABLE_ARN=arn:$PARTITION:dynamodb:$REGION:$ACCOUNT:table/$TABLE
FUNCTION_ARN=arn:$PARTITION:lambda:$REGION:$ACCOUNT:function:$FUNCTION
ROLE_ARN=arn:$PARTITION:iam::$ACCOUNT:role/$ROLE
