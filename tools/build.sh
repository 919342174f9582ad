#!/usr/bin/env bash
# build.sh DIR [cmake options]: configures once and builds. Quiet unless something is to be said.
set -eu
dir=$1
shift
cd "$(dirname "$0")/.."
if [ ! -f "$dir/build.ninja" ]; then
    cmake -G Ninja -S . -B "$dir" "$@" >"/tmp/weir-cmake.$$" 2>&1 || { cat "/tmp/weir-cmake.$$"; rm -f "/tmp/weir-cmake.$$"; exit 1; }
    rm -f "/tmp/weir-cmake.$$"
fi
exec ninja -C "$dir" -j "$(nproc)" --quiet
