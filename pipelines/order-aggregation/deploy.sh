#!/usr/bin/env bash
# Deploys template.yaml by weir deploy: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes only what
# differs. Prints BUCKET=, QUEUE_URL=, DLQ_URL=, TABLE= and FUNCTION= lines.
#
#   NAME         of the stack, and prefix of all names (order-aggregation)
#   WEIR_BUILD   build folder with weir and functions/ (../../build)
#   MEMORY       MB of the function (2048); TIMEOUT in seconds (900)
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
deploy "Memory=${MEMORY:-2048}" "Timeout=${TIMEOUT:-900}"
