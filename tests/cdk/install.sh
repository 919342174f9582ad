#!/bin/sh
# Installs what the app here is made of, and the CDK CLI, from the npm registry; nothing to do when the lock file's versions are there.
set -eu
cd "$(dirname "$0")"
cmp -s package-lock.json node_modules/installed-lock.json && exit 0
npm ci --no-audit --no-fund --silent
cp package-lock.json node_modules/installed-lock.json
