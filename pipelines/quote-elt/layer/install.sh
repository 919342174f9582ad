#!/bin/sh
# Fetches libduckdb, as pinned with its hash in package-lock.json, from the npm registry: the library comes
# with the bindings for Node.js. Quick when it is there.
set -eu
cd "$(dirname "$0")"
[ ! node_modules/.package-lock.json -nt package-lock.json ] || exit 0
command -v npm >/dev/null || { echo "no npm: the pipeline quote-elt gets no libduckdb" >&2; exit 1; }
echo "installing: libduckdb"
umask 022
npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2
