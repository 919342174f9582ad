#!/usr/bin/env bash
# Removes what deploy.sh made, with all data in it: undeploy.sh [ENDPOINT_URL]. What is gone already is no error.
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
undeploy
