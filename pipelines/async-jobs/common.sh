# Names shared by deploy.sh, undeploy.sh and replay.sh. Sourced, not run.
#
# Every name derives from $NAME (default async-jobs), so that several copies can live side by side. The
# first argument of the scripts is an endpoint URL; without one they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-async-jobs}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../aws.sh"

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
API_ROLE=$NAME-api # of the gateway
CALLER_ROLE=$NAME-caller
GATEWAY_LOGS_ROLE=$NAME-gateway-logs
ACCESS_LOG=/aws/apigateway/$NAME
STAGE=prod
