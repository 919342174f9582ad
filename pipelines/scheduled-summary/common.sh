# Names shared by deploy.sh, undeploy.sh and run-now.sh. Sourced, not run.
#
# Every name derives from $NAME (default scheduled-summary), so that several copies can live side by side. The
# first argument of the scripts is an endpoint URL; without one, or with "", they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-scheduled-summary}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../aws.sh"

API_FUNCTION=$NAME-api # functions, and the roles of the same names
SUMMARY_FUNCTION=$NAME-summary
TABLE=$NAME-cars
BUCKET=${BUCKET:-$NAME-$ACCOUNT-$REGION}
RULE=$NAME-weekly
STAGE=prod
