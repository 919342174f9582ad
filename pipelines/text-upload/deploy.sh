#!/usr/bin/env bash
# Deploys template.yaml by weir deploy: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes only what
# differs. Prints API_URL=, API_ID=, USER_POOL_ID=, CLIENT_ID=, TABLE=, TOPIC_ARN=, UPLOAD_FUNCTION= and
# AUTHORIZER_FUNCTION= lines.
#
#   NAME          of the stack, and prefix of all names (text-upload)
#   WEIR_BUILD    build folder with weir and functions/ (../../build)
#   RATE, BURST   how many requests a second the API takes, and at once (100, 200)
#   DURATION_MS   of the function, on average of a period, that is an alarm (5000)
#   PERIOD        of the alarms, in seconds (300)
#   MEMORY        MB of each function (256)
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
deploy "Rate=${RATE:-100}" "Burst=${BURST:-200}" "DurationMs=${DURATION_MS:-5000}" "Period=${PERIOD:-300}" "Memory=${MEMORY:-256}"
