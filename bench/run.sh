#!/bin/sh
# Measures a build: run.sh [BUILD_DIR] [more options of bench_weir]. Starts its own server on a free
# port with a new data folder, and removes both. docs/performance.md says how to read the table.
set -eu
build=${1:-build}
[ $# -gt 0 ] && shift
here=$(dirname "$0")
work=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench-XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

ninja -C "$build" bench_weir bench_http bench_measure weir >"$work/build.log" 2>&1 || {
    tail -30 "$work/build.log" >&2
    exit 1
}
whole=yes
[ $# -eq 0 ] || whole=
set -- --weir "$build/weir" --http "$build/bench/bench_http" --data "$work" "$@"
if ninja -C "$build" package_bench_echo >>"$work/build.log" 2>&1; then
    set -- "$@" --function "provided.al2023=$build/functions/bench_echo.zip"
fi
if ninja -C "$build" package_bench_consumer >>"$work/build.log" 2>&1; then
    set -- "$@" --consumer "$build/functions/bench_consumer.zip"
fi
if ninja -C "$build" package_bench_proxy >>"$work/build.log" 2>&1; then
    set -- "$@" --proxy "$build/functions/bench_proxy.zip"
fi
# The same function in the first Python and Node.js that there are.
add() {
    runtime=$("$build/weir" runtime list | sed -n "s/^\($1[0-9][^ ]*\).*/\1/p" | head -1)
    [ -n "$runtime" ] || return 0
    printf '%s\n' "$3" >"$work/$2"
    (cd "$work" && python3 -m zipfile -c "$1.zip" "$2") && functions="$functions --function $runtime=$work/$1.zip"
}
functions=
add python3. app.py 'def handler(event, context): return event'
add nodejs app.js 'exports.handler = async (event) => event;'
# shellcheck disable=SC2086
set -- "$@" $functions

echo "machine: $(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
echo "commit:  $(git -C "$here" rev-parse --short HEAD 2>/dev/null || echo none)"
status=0
[ -z "$whole" ] || "$build/bench/bench_measure" || status=$?
"$build/bench/bench_weir" "$@" || status=$?
if [ "$status" -ne 0 ] && [ -s "$work/log" ]; then
    echo "last lines of the server's log:" >&2
    tail -20 "$work/log" >&2
fi
if [ -n "$whole" ] && [ "$status" -eq 0 ] && ninja -C "$build" functions >>"$work/build.log" 2>&1; then
    echo
    "$here/stacks.sh" "$build" || status=$?
fi
if [ -n "$whole" ] && [ "$status" -eq 0 ] && command -v aws >/dev/null; then
    ninja -C "$build" package_order-aggregation >>"$work/build.log" 2>&1
    echo
    "$here/pipeline.sh" "$build" || status=$?
fi
exit "$status"
