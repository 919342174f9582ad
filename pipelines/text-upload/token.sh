#!/usr/bin/env bash
# Prints an access token of a user, who is signed up first if need be: token.sh ENDPOINT_URL EMAIL PASSWORD.
# Signing up is anybody's; to confirm the address, which a mail to it does, takes who owns the pool.
#
#   NAME   of the stack (text-upload)
set -euo pipefail
ENDPOINT=${1:-}
NAME=${NAME:-text-upload}
source "$(dirname "${BASH_SOURCE[0]}")/../aws.sh"
EMAIL=$2
PASSWORD=$3
POOL_ID=$(call cognito-idp list-user-pools --max-results 60 --query "UserPools[?Name=='$NAME'].Id | [0]")
CLIENT_ID=$(call cognito-idp list-user-pool-clients --user-pool-id "$POOL_ID" --query "UserPoolClients[?ClientName=='$NAME'].ClientId | [0]")
if ! call cognito-idp admin-get-user --user-pool-id "$POOL_ID" --username "$EMAIL" >/dev/null 2>&1; then
    call cognito-idp sign-up --client-id "$CLIENT_ID" --username "$EMAIL" --password "$PASSWORD" \
        --user-attributes "Name=email,Value=$EMAIL" >/dev/null
    call cognito-idp admin-confirm-sign-up --user-pool-id "$POOL_ID" --username "$EMAIL"
fi
call cognito-idp initiate-auth --auth-flow USER_PASSWORD_AUTH --client-id "$CLIENT_ID" \
    --auth-parameters "USERNAME=$EMAIL,PASSWORD=$PASSWORD" --query AuthenticationResult.AccessToken
