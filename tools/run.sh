#!/usr/bin/env bash
# Starts Weir (or finds the one that an earlier run left), deploys a pipeline, gives it something to do
# and prints what comes out. Leaves Weir running.
#
#   PIPELINE=order-aggregation  WEIR_LISTEN=127.0.0.1:4566  WEIR_DATA=.weir/data  WEIR_BUILD=build
#
# What is shown of a pipeline is its run.sh, which is sourced here: `cli` calls the AWS CLI, `made NAME` is
# what deploy.sh said of NAME.
set -euo pipefail
cd "$(dirname "$0")/.."
listen=${WEIR_LISTEN:-127.0.0.1:4566}
data=${WEIR_DATA:-.weir/data}
build=${WEIR_BUILD:-build}
pipeline=${PIPELINE:-order-aggregation}
state=.weir
pidfile=$state/pid
log=$state/log
mkdir -p "$state"
if [ ! -f "pipelines/$pipeline/run.sh" ]; then
    echo "there is no pipeline $pipeline; there are: $(cd pipelines && echo */run.sh | sed 's|/run.sh||g')" >&2
    exit 1
fi

say() { printf '\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { echo "$*"; }

# Whoever answers for this data is running; a process id tells nothing of a process that was killed.
was_running=0
if "$build/weir" status --data "$data" >/dev/null 2>&1; then
    was_running=1
    endpoint=$("$build/weir" env --data "$data" | sed -n 's/^export AWS_ENDPOINT_URL=//p')
    if [ "$(cat "$state/listen" 2>/dev/null)" != "$listen" ]; then
        echo "an earlier run still serves at $endpoint: make stop first" >&2
        exit 1
    fi
    say "Weir is already running at $endpoint (process $(cat "$pidfile"))."
else
    say "Starting Weir at $listen, data in $data ..."
    : >"$state/out"
    setsid nohup "$build/weir" serve --listen "$listen" --data "$data" >"$state/out" 2>"$log" </dev/null &
    pid=$!
    for _ in $(seq 200); do
        grep -q '^listening on' "$state/out" && break
        kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; exit 1; }
        sleep 0.05
    done
    endpoint=$(sed -n 's/^listening on //p' "$state/out")
    [ -n "$endpoint" ] || { tail -5 "$log" >&2; echo "Weir did not start" >&2; kill "$pid"; exit 1; }
    echo "$pid" >"$pidfile"
    echo "$listen" >"$state/listen"
fi

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
unset AWS_SESSION_TOKEN AWS_PROFILE
aws=$(PATH=/usr/bin:$PATH command -v aws)
cli() { "$aws" --endpoint-url "$endpoint" "$@"; }

say "Deploying pipelines/$pipeline ..."
if ! WEIR_BUILD=$build "pipelines/$pipeline/deploy.sh" "$endpoint" | tee "$state/pipeline"; then
    echo "the pipeline could not be deployed; Weir's log is $log" >&2
    exit 1
fi
made() { sed -n "s/^$1=//p" "$state/pipeline"; }
source "pipelines/$pipeline/run.sh"

cat <<END

Weir is running at $endpoint (process $(cat "$pidfile"), log in $log). Try:

  eval "\$($build/weir env --data $data)"
$(try)
  curl $endpoint/_weir/metrics
  make stop
END
