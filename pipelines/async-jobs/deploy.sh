#!/usr/bin/env bash
# Deploys template.yaml by weir deploy: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes only what
# differs. Prints API_URL=, API_ID=, CALLER_ROLE_ARN=, TABLE=, STREAM_ARN=, WORDS_FUNCTION=, SUM_FUNCTION=,
# ERRORS_FUNCTION=, TOPIC_ARN=, BUS=, ARCHIVE=, RULE_ARN= and KEY_ARN= lines.
#
#   NAME         of the stack, and prefix of all names (async-jobs)
#   WEIR_BUILD   build folder with weir and functions/ (../../build)
#   MARKING      on; anything else makes the error handler fail, to see what becomes of that
#   RETRIES      tries of a batch after its first (2); ERROR_RETRIES of the error handler's events (2)
#   MEMORY       MB of each function (256)
#   RATE, BURST  how many requests a second the API takes, and at once (100, 200)
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
deploy "Marking=${MARKING:-on}" "Retries=${RETRIES:-2}" "ErrorRetries=${ERROR_RETRIES:-2}" "Memory=${MEMORY:-256}" \
    "Rate=${RATE:-100}" "Burst=${BURST:-200}"
