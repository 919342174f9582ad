# What deploy.sh and undeploy.sh of a pipeline do: its template.yaml is the stack $NAME. Sourced with their argument, an
# endpoint URL; without one, or with "", they work on AWS itself.
#
#   NAME         of the stack, and prefix of all names (the folder's)
#   WEIR_BUILD   build folder with weir and functions/ (../../build)
set -euo pipefail

ENDPOINT=${1:-}
HERE=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
PIPELINE=$(basename "$HERE")
NAME=${NAME:-$PIPELINE}
BUILD=${WEIR_BUILD:-$HERE/../../build}
[ -d "$BUILD/functions" ] || { echo "no functions in $BUILD: build first (make build)" >&2; exit 1; }
BUILD=$(cd "$BUILD" && pwd)

weir() {
    "${WEIR_BIN:-$BUILD/weir}" "$@" --stack "$NAME" --endpoint "${ENDPOINT:-aws}"
}

# Prints the outputs, ApiUrl as API_URL=: deploy PARAMETER=VALUE...
deploy() {
    local parameter parameters=()
    for parameter in "$@"; do
        parameters+=(-p "$parameter")
    done
    [ "$(uname -m)" != aarch64 ] || parameters+=(-p Architecture=arm64)
    # Where the template finds this build's functions at ../../build.
    place=$(mktemp -d) # not local: removed at the very end
    trap 'rm -rf "$place"' EXIT
    mkdir -p "$place/pipelines/$PIPELINE"
    cp "$HERE"/*.yaml "$place/pipelines/$PIPELINE"
    cp "$HERE"/*.json "$place/pipelines/$PIPELINE" 2>/dev/null || true
    ln -s "$BUILD" "$place/build"
    weir deploy "$place/pipelines/$PIPELINE" --env "${parameters[@]}"
}

# With all that is in its buckets.
undeploy() {
    weir destroy --empty --yes
}
