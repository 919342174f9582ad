#!/usr/bin/env bash
# What stacks cost: stacks.sh [BUILD_DIR] [PART...]. Parts: `resources`, the engine's own time by their number (parameters, which cost
# their service next to nothing); `many`, 100 small stacks at once; a pipeline by its name, from an empty server to its outputs.
# Without PART all. Starts servers of its own on free ports with new data folders, and removes both.
#
# Seconds are the client's: packaging, uploads and looking are in them. CPU is the server's, which is the same on a machine that
# does other things meanwhile.
set -euo pipefail
build=$(cd "${1:-build}" && pwd)
shift || true
parts=" $* "
stacks=100
cd "$(dirname "$0")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench-XXXXXX")
server=
stop() { [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || true; server=; }
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

start() {
    stop
    rm -rf "$work/data" "$work/out"
    mkfifo "$work/out"
    "$build/weir" serve --listen 127.0.0.1:0 --data "$work/data" --log-level warn >"$work/out" 2>"$work/log" &
    server=$!
    exec 3<"$work/out"
    read -r -t 20 line <&3 || { cat "$work/log" >&2; echo "the server did not start" >&2; exit 1; }
    export AWS_ENDPOINT_URL=${line#listening on } AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
    unset AWS_SESSION_TOKEN AWS_PROFILE
}
cpu_s() { awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) / hz}' "/proc/$server/stat"; }
now() { date +%s.%N; }
wants() { [ "$parts" = "  " ] || [[ "$parts" == *" $1 "* ]]; }
deploy() { "$build/weir" deploy "$@" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }; }

# template N: a quarter of the resources hangs on another.
template() {
    echo "Resources:"
    for ((i = 0; i < $1; i++)); do
        value=$i
        ((i % 4 != 3)) || value="!Ref R$((i - 1))"
        echo "  R$i: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: $value}}"
    done
}

resources() {
    for n in 50 100 250 500; do
        start
        template "$n" >"$work/template.yaml"
        before=$(cpu_s) begin=$(now)
        deploy "$work/template.yaml" --stack many
        awk -v n="$n" -v b="$begin" -v e="$(now)" -v c="$(cpu_s)" -v d="$before" 'BEGIN {
            printf "stack of %3d resources: %.2f s, server CPU %.2f s, %.2f ms a resource\n", n, e - b, c - d,
                   1000 * (c - d) / n }'
    done
}

many() {
    start
    template 3 >"$work/template.yaml"
    before=$(cpu_s) begin=$(now) pids=
    for ((i = 0; i < stacks; i++)); do
        "$build/weir" deploy "$work/template.yaml" --stack "s$i" >"$work/said.$i" 2>&1 &
        pids="$pids $!"
    done
    for pid in $pids; do wait "$pid" || { cat "$work"/said.* >&2; exit 1; }; done
    awk -v n="$stacks" -v b="$begin" -v e="$(now)" -v c="$(cpu_s)" -v d="$before" 'BEGIN {
        printf "%d stacks of 3 resources at once: %.2f s, server CPU %.2f s\n", n, e - b, c - d }'
}

pipeline() { # its functions are built before
    [ "$1" != quote-elt ] || [ -f "$build/functions/quote-elt-layer.zip" ] || {
        echo "quote-elt: not measured, libduckdb is not there (PIPELINE=quote-elt tools/deps.sh run)"
        return
    }
    start
    before=$(cpu_s) begin=$(now)
    WEIR_BUILD=$build "pipelines/$1/deploy.sh" "$AWS_ENDPOINT_URL" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
    awk -v p="$1" -v b="$begin" -v e="$(now)" -v c="$(cpu_s)" -v d="$before" 'BEGIN {
        printf "%s from an empty server to its outputs: %.2f s, server CPU %.2f s\n", p, e - b, c - d }'
}

if wants resources; then resources; fi
if wants many; then many; fi
for each in pipelines/*/template.yaml; do
    name=$(basename "$(dirname "$each")")
    if wants "$name"; then pipeline "$name"; fi
done
