#!/usr/bin/env bash
# Deploys template.yaml by weir deploy: deploy.sh [ENDPOINT_URL]. Run it again to update; it changes only what
# differs. Prints API_URL=, API_ID=, TABLE=, BUCKET=, API_FUNCTION=, SUMMARY_FUNCTION= and RULE= lines.
#
#   NAME         of the stack, and prefix of all names (scheduled-summary)
#   WEIR_BUILD   build folder with weir and functions/ (../../build)
#   ORIGIN       whose pages may use the API (*)
#   WEEKLY       when the summary is written (cron(0 23 ? * SUN *)), in UTC
#   MEMORY       MB of each function (256)
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
deploy "Origin=${ORIGIN:-*}" "Weekly=${WEEKLY:-cron(0 23 ? * SUN *)}" "Memory=${MEMORY:-256}"
