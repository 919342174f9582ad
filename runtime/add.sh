#!/bin/sh
# add.sh NAME DIR: installs a Node.js runtime for functions (nodejs18.x) with the AWS SDK that Lambda's
# has, or such an SDK alone (sdk-v2, sdk-v3), below DIR. Node's own binaries are packages of the npm
# registry. What comes from elsewhere is told, not fetched.
set -eu
name=$1
dir=$2
# Services that Weir has, and the libraries that go with their clients; the last range that runs on
# every Node.js from 18 on.
v3="@aws-sdk/client-cloudwatch-logs @aws-sdk/client-dynamodb @aws-sdk/client-iam @aws-sdk/client-lambda
    @aws-sdk/client-resource-groups-tagging-api @aws-sdk/client-s3 @aws-sdk/client-sqs @aws-sdk/client-sts
    @aws-sdk/credential-providers @aws-sdk/lib-dynamodb @aws-sdk/lib-storage @aws-sdk/s3-request-presigner
    @aws-sdk/util-dynamodb"
smithy="@smithy/node-http-handler @smithy/protocol-http @smithy/signature-v4 @smithy/types @smithy/util-retry"

fail() {
    echo "weir: $*" >&2
    exit 1
}

# install TO PACKAGE...: all or nothing at DIR/TO/node_modules.
install() {
    to=$1
    shift
    command -v npm >/dev/null || fail "npm is needed to fetch $name"
    mkdir -p "$dir"
    part=$(mktemp -d "$dir/.add-XXXXXX")
    trap 'rm -rf "$part"' EXIT
    echo '{"private": true}' >"$part/package.json"
    (umask 022 && npm install --prefix "$part" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "$@" >&2) ||
        fail "npm could not install $*"
    chmod 755 "$part"
    rm -rf "${dir:?}/$to"
    mv "$part" "$dir/$to"
}

sdk() {
    if [ -d "$dir/sdk-$1/node_modules" ]; then return; fi
    # A script's words on purpose: each is a package.
    if [ "$1" = v2 ]; then install sdk-v2 aws-sdk@2; else
        # shellcheck disable=SC2046
        install sdk-v3 $(for p in $v3; do echo "$p@<3.900"; done) $smithy
    fi
}

case $name in
sdk-v2 | sdk-v3) sdk "${name#sdk-}" ;;
nodejs[0-9]*.x)
    major=${name#nodejs}
    major=${major%.x}
    case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) fail "no Node.js for $(uname -m)" ;; esac
    case $major in *[!0-9]*) fail "no such runtime: $name" ;; esac
    install "$name" "node-linux-$arch@$major"
    ln -s "node_modules/node-linux-$arch/bin" "$dir/$name/bin"
    "$dir/$name/bin/node" --version >&2 || fail "what was installed does not run"
    if [ "$major" -lt 18 ]; then sdk v2; else sdk v3; fi
    ;;
python3.[0-9]*)
    cat >&2 <<END
weir: $name has no package that could be fetched from here. Install it by one of
    pyenv install ${name#python}          (found in ~/.pyenv)
    uv python install ${name#python}      (found in ~/.local/share/uv)
    apt-get install $name        (where the system has it)
and Weir finds it; or point to one: weir serve --runtime $name=PATH
END
    exit 1
    ;;
*) fail "no such runtime: $name; as nodejs20.x or python3.12" ;;
esac
