#!/bin/sh
# package.sh OUT.zip PYTHON PACKAGE.PY: the layer, libduckdb at lib/ and its licence, where install.sh has put
# them; nothing otherwise. Quick when it is made already: what it is made of is pinned by package-lock.json.
set -eu
cd "$(dirname "$0")"
case $(uname -m) in x86_64) from=x64 ;; aarch64) from=arm64 ;; *) exit 0 ;; esac
from=node_modules/@duckdb/node-bindings-linux-$from
[ -f "$from/libduckdb.so" ] || exit 0
[ "$1" -nt "$from/libduckdb.so" ] && [ "$1" -nt package.sh ] && exit 0
"$2" "$3" "$1.part" "lib/libduckdb.so=$from/libduckdb.so" "licences/duckdb=$from/LICENSE"
mv "$1.part" "$1"
