#!/usr/bin/env bash
# test.sh BUILD: every test, against the release build (BUILD) and the sanitizer build (BUILD/asan).
# Prints each runner's closing lines; a part that is skipped says so. Exits 1 when any part failed.
set -u
cd "$(dirname "$0")/.."
build=$1
jobs=$(nproc)
failed=()
part() {
    local name=$1
    shift
    echo "== $name"
    "$@" || failed+=("$name")
}
# Debian's Python has boto3 and pytest; another python3 on the PATH may not.
py=/usr/bin/python3
unset AWS_PROFILE AWS_CONFIG_FILE AWS_ENDPOINT_URL
export WEIR_BUILD="$PWD/$build"
# Many tests wait more than they compute: what they leave of the processors builds what ThreadSanitizer needs,
# whose part is the last. Whether it could be built is said there.
mkdir -p "$build/tsan"
nice -n 19 tools/tsan.sh "$build/tsan" build >"$build/tsan/behind.log" 2>&1 &
behind=$!
trap 'kill "$behind" 2>/dev/null' EXIT

part "unit tests and fuzz corpora (sanitizers)" ctest --test-dir "$build/asan" -j "$jobs" --output-on-failure --quiet --no-tests=error -O "$build/asan/ctest.log"
tail -n 8 "$build/asan/ctest.log" 2>/dev/null
# A unit test whose data is not there skips itself, and its program passes: that is said here.
grep -ahoE '^\[  SKIPPED \] [a-z_]\w+' "$build/asan/Testing/Temporary/LastTest.log" 2>/dev/null | sort -u |
    awk '{names = names " " $4} END {if (NR) printf "%d skipped for want of data:%s\n", NR, names}'
part "tools and generator" $py -m pytest -q -n 2 --dist loadfile tests/tools tests/gen
part "compatibility: vendor clients (sanitizers)" env WEIR_BIN="$PWD/$build/asan/weir" $py -m pytest -q -rs -n 4 --dist loadfile tests/compat
part "pipelines, Terraform, crashes (release build)" env WEIR_BIN="$PWD/$build/weir" $py -m pytest -q -rs -n 4 --dist loadfile tests/system
wait "$behind"
trap - EXIT
part "threads (ThreadSanitizer)" tools/tsan.sh "$build/tsan"
if [ ${#failed[@]} -gt 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
fi
echo "all parts passed"
