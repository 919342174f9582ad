#!/usr/bin/env bash
# fuzz.sh BUILD [fuzzer...]: runs every fuzzer (or those named) with libFuzzer for FUZZ_SECONDS
# (60), from its kept corpus, one per core at a time. What it finds stays in BUILD/found-<fuzzer>/;
# exits 1 when anything was found.
set -u
cd "$(dirname "$0")/.."
build=$1
shift
fuzzers=("$@")
if [ ${#fuzzers[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do fuzzers+=("$(basename "$source" .c)"); done
fi
if [ ! -f "$build/build.ninja" ]; then
    mkdir -p "$build"
    CC=clang cmake -G Ninja -S . -B "$build" -DWEIR_FUZZ=ON -DWEIR_SANITIZE=ON >"$build/cmake.log" 2>&1 ||
        { cat "$build/cmake.log"; rm -f "$build/build.ninja"; exit 1; }
fi
# Only the fuzzers and what they link: the rest would be built for nothing.
ninja -C "$build" -j "$(nproc)" --quiet "${fuzzers[@]}" || exit 1

run_one() {
    local build=$1 name=$2 program
    program=$(find "$build" -name "$name" -type f -perm -u+x | head -1)
    mkdir -p "$build/work-$name" "$build/found-$name"
    if "$program" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=4096 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="$build/found-$name/" "$build/work-$name" \
        "tests/fuzz/corpus/$name" >"$build/$name.log" 2>&1; then
        echo "$name: clean, $(sed -n 's/.*number_of_executed_units: //p' "$build/$name.log") runs"
        return 0
    fi
    echo "$name: FOUND something"
    tail -20 "$build/$name.log"
    return 1
}
export -f run_one
printf '%s\n' "${fuzzers[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_one "$1" "$2"' _ "$build" {} || exit 1
