#!/usr/bin/env bash
# tsan.sh BUILD [build]: the tests of what threads share, under ThreadSanitizer: the unit tests of the lower
# layers and many clients at once against the whole server. Builds only what it runs; `build`: and runs nothing.
set -u
cd "$(dirname "$0")/.."
build=$1
if [ ! -f "$build/build.ninja" ]; then
    mkdir -p "$build"
    cmake -G Ninja -S . -B "$build" -DWEIR_TSAN=ON >"$build/cmake.log" 2>&1 || { cat "$build/cmake.log"; exit 1; }
fi
libraries='io|http|kv_drv_fault|kv_drv_rocksdb|core|deliver|svc_sqs|svc_iam'
mapfile -t units < <(ninja -C "$build" -t targets all | sed -nE "s/^(unit_($libraries)_test_[a-z0-9_]+): .*/\1/p" | grep -v _faults | sort -u)
[ ${#units[@]} -gt 0 ] || { echo "no unit tests found"; exit 1; }
if [ "${2:-}" = build ]; then exec ninja -C "$build" -j "$(nproc)" --quiet weir "${units[@]}"; fi
ninja -C "$build" -j "$(nproc)" --quiet weir "${units[@]}" || exit 1

# A forked child that opens a store of its own is no race.
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp die_after_fork=0 second_deadlock_stack=1"
# Some kernels randomise addresses more than ThreadSanitizer bears.
run=()
if ! "$build/weir" version >/dev/null 2>&1; then run=(setarch -R); fi
failed=0
"${run[@]}" ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --quiet --no-tests=error \
    -R "^unit/($libraries)/" -E _faults -O "$build/ctest.log" || failed=1
tail -n 8 "$build/ctest.log"
WEIR_BIN="$PWD/$build/weir" "${run[@]}" /usr/bin/python3 -m pytest -q -rs tests/threads || failed=1
exit $failed
