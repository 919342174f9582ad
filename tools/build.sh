#!/usr/bin/env bash
# build.sh DIR [cmake options]: configures once and builds. Quiet unless something is to be said. A
# folder that was configured without the tests gets them when they are asked for, and keeps them.
set -eu
dir=$1
shift
cd "$(dirname "$0")/.."
wants_tests() { [[ " $* " == *" -DWEIR_TESTS=ON "* ]] && grep -q '^WEIR_TESTS:BOOL=OFF' "$dir/CMakeCache.txt"; }
if [ ! -f "$dir/build.ninja" ] || wants_tests "$@"; then
    cmake -G Ninja -S . -B "$dir" "$@" >"/tmp/weir-cmake.$$" 2>&1 || { cat "/tmp/weir-cmake.$$"; rm -f "/tmp/weir-cmake.$$"; exit 1; }
    rm -f "/tmp/weir-cmake.$$"
fi
exec ninja -C "$dir" -j "$(nproc)" --quiet
