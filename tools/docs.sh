#!/usr/bin/env bash
# Writes docs/reference/ from spec/ and from the command line's own help.
set -eu
cd "$(dirname "$0")/.."
mkdir -p docs/reference
python3 gen/docs.py spec/*.json docs/reference
python3 gen/type_docs.py spec docs/reference
{
    echo '# Command line'
    echo
    echo 'Printed by `weir help`.'
    echo
    echo '```'
    "${WEIR_BUILD:-build}/weir" help
    echo '```'
} >docs/reference/command-line.md
