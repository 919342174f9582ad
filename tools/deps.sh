#!/usr/bin/env bash
# deps.sh run|packages|test: installs from Debian 12's packages what building and running Weir needs (run), or
# that and what its tests and tools need (packages), and what npm has for them (test). Quick when all is there.
# ARCHITECTURE.md says why each.
set -eu
packages=(
    gcc libc6-dev make cmake ninja-build pkg-config python3
    libuv1-dev libnghttp2-dev librocksdb-dev libssl-dev libexpat1-dev libpcre2-dev libzip-dev zlib1g-dev libzstd-dev libyaml-dev
    libseccomp-dev libcap-dev libargon2-dev tzdata libcurl4-openssl-dev uidmap ca-certificates
    awscli openssl jq curl # for deploying, as make run does
    python3-boto3           # Python functions expect it
)
tests=(
    clang-format clang libclang-rt-14-dev mold libcmocka-dev python3-pytest python3-pytest-xdist
    procps zip nodejs chromium
    golang-go golang-github-aws-aws-sdk-go-dev # a function with an SDK that knows no endpoint variable
)
mode=${1:-}
case $mode in
run) ;;
packages | test) packages+=("${tests[@]}") ;;
*)
    echo "usage: deps.sh run|packages|test" >&2
    exit 2
    ;;
esac
# The AWS SDKs for JavaScript that Lambda's Node.js runtimes have, and a Node.js that has the older one,
# beside the bootstraps; from the npm registry, where npm is. For tests: users have `weir runtime add`,
# and functions that bring their own need none, so it is no error. And the packages of tests/node and tests/cdk.
sdks() {
    [ "$mode" = test ] || return 0
    here=$(cd "$(dirname "$0")/.." && pwd)
    for sdk in sdk-v2 sdk-v3 nodejs16.x; do
        [ -d "$here/runtime/$sdk/node_modules" ] && continue
        command -v npm >/dev/null || { echo "no npm: Node.js functions get no AWS SDK" >&2; return; }
        echo "installing: $sdk"
        sh "$here/runtime/add.sh" "$sdk" "$here/runtime" || echo "could not install $sdk: Node.js functions get none" >&2
    done
    for folder in node cdk; do
        sh "$here/tests/$folder/install.sh" || echo "could not install the packages of tests/$folder" >&2
    done
}
# What a pipeline's layer is made of: for tests, and for whoever runs that pipeline.
layers() {
    [ "$mode" = test ] || [ "${PIPELINE:-}" = quote-elt ] || return 0
    sh "$(dirname "$0")/../pipelines/quote-elt/layer/install.sh" || echo "could not install libduckdb: quote-elt cannot be deployed" >&2
}
missing=()
for p in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
# A Node.js that did not come from a package serves as well.
if command -v node >/dev/null; then missing=("${missing[@]/#nodejs/}"); fi
missing=(${missing[*]:-})
if [ ${#missing[@]} -eq 0 ]; then sdks; layers; exit 0; fi
echo "installing: ${missing[*]}"
sudo=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "need root or sudo to install: ${missing[*]}" >&2; exit 1; }
    sudo=sudo
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "could not install: ${missing[*]}" >&2
    exit 1
fi
sdks
layers
