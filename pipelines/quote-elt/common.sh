# Names shared by deploy.sh, undeploy.sh and run-now.sh. Sourced, not run.
#
# Every name derives from $NAME (default quote-elt), so that several copies can live side by side. The
# first argument of the scripts is an endpoint URL; without one, or with "", they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-quote-elt}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../aws.sh"

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
