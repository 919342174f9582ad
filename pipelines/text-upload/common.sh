# Names shared by deploy.sh, undeploy.sh and token.sh. Sourced, not run.
#
# Every name derives from $NAME (default text-upload), so that several copies can live side by side. The
# first argument of the scripts is an endpoint URL; without one, or with "", they work on AWS itself.
set -euo pipefail

ENDPOINT=${1:-}
NAME=${NAME:-text-upload}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$HERE/../aws.sh"

UPLOAD_FUNCTION=$NAME-upload # functions, and the roles of the same names
AUTHORIZER_FUNCTION=$NAME-authorizer
TABLE=$NAME-lines
TOPIC_ARN=$(arn sns "$NAME-alarms")
POOL=$NAME
STAGE=prod

pool_id() {
    call cognito-idp list-user-pools --max-results 60 --query "UserPools[?Name=='$POOL'].Id | [0]"
}
