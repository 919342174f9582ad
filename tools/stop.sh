#!/usr/bin/env bash
# Ends the Weir that `make run` left running, by its process id, and waits until it is gone.
set -eu
cd "$(dirname "$0")/.."
pidfile=.weir/pid
# The number may be another program's by now: of one that was killed, or from before a restart.
if [ ! -f "$pidfile" ] || [ "$(cat "/proc/$(cat "$pidfile")/comm" 2>/dev/null)" != weir ]; then
    rm -f "$pidfile"
    echo "nothing to stop"
    exit 0
fi
pid=$(cat "$pidfile")
kill "$pid"
for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || { rm -f "$pidfile"; echo "stopped"; exit 0; }
    sleep 0.1
done
echo "Weir (process $pid) does not stop; its log is .weir/log" >&2
exit 1
