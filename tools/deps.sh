#!/usr/bin/env bash
# Installs what building, running and testing Weir needs, from Debian 12's packages. Quick when all
# is there. ARCHITECTURE.md says why each.
set -eu
packages=(
    gcc libc6-dev make cmake ninja-build pkg-config clang-format python3 clang libclang-rt-14-dev
    libuv1-dev librocksdb-dev libssl-dev libexpat1-dev libpcre2-dev libzip-dev zlib1g-dev
    libseccomp-dev libcap-dev tzdata libcurl4-openssl-dev
    uidmap libcmocka-dev python3-pytest python3-pytest-xdist python3-boto3 awscli curl openssl procps jq zip nodejs ca-certificates chromium
)
missing=()
for p in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
# A Node.js that did not come from a package serves as well.
if command -v node >/dev/null; then missing=("${missing[@]/#nodejs/}"); fi
missing=(${missing[*]:-})
[ ${#missing[@]} -eq 0 ] && exit 0
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
