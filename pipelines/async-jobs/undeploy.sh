#!/usr/bin/env bash
# Removes what deploy.sh made, with all data in it: undeploy.sh [ENDPOINT_URL]. What is gone already is no error.
# The key cannot go at once: it is deleted after the seven days that KMS asks for.
source "$(dirname "${BASH_SOURCE[0]}")/../stack.sh"
undeploy
