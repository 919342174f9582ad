# Names shared by deploy.sh, undeploy.sh and redrive.sh. Sourced, not run.
#
# Every name derives from $NAME (default order-aggregation), so that several copies can live side by
# side. The first argument of the scripts is an endpoint URL; without one they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-order-aggregation}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../aws.sh"

BUCKET=${BUCKET:-$NAME-$ACCOUNT-$REGION}
QUEUE=$NAME-messages
DLQ=$NAME-dead-letters
TABLE=$NAME
FUNCTION=$NAME
ROLE=$NAME-function
QUEUE_ARN=$(arn sqs "$QUEUE")
DLQ_ARN=$(arn sqs "$DLQ")
TABLE_ARN=$(arn dynamodb "table/$TABLE")
FUNCTION_ARN=$(arn lambda "function:$FUNCTION")
ROLE_ARN=arn:$PARTITION:iam::$ACCOUNT:role/$ROLE
