#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/fuzz.sh [--keep] [TARGET...]
#
# Runs the libFuzzer targets (fuzz_NAME: access, text) from their kept corpora
# tests/fuzz/corpus/NAME/ under the address and undefined-behaviour sanitizers:
# the same 6000 inputs each time, so that the result depends on the sources
# alone; with PCV_FUZZ_SECONDS set, so long, and others each time. What is new
# goes into build-fuzz/corpus/, so the tree stays clean; --keep merges what adds
# coverage into the kept corpora.
#
# Exit status: 0; 1 if a target found something; 2 for wrong usage.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# shellcheck source=tools/setup.sh
. tools/setup.sh
seconds=${PCV_FUZZ_SECONDS-}
runs=6000
keep=0
targets=()
for argument in "$@"; do
    case $argument in
    --keep) keep=1 ;;
    fuzz_*) targets+=("$argument") ;;
    *)
        echo "usage: tools/fuzz.sh [--keep] [fuzz_NAME...]" >&2
        exit 2
        ;;
    esac
done
if [ ${#targets[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        targets+=("$(basename "$source" .c)")
    done
fi
case $seconds in
'') extent="$runs inputs" ;;
*[!0-9]* | 0)
    echo "PCV_FUZZ_SECONDS must be a number of seconds above 0" >&2
    exit 2
    ;;
*) extent="$seconds s" ;;
esac

# Coverage is counted in everything but the fuzzer itself, which the targets'
# own link adds (tests/fuzz/meson.build).
if ! with_progress "Building the fuzz targets" build/setup-logs/fuzz.log eval '
    configure build-fuzz clang -Dfuzz=true -Db_lundef=false \
        -Db_sanitize=address,undefined -Doptimization=1 \
        "-Dc_args=-fsanitize=fuzzer-no-link -fno-sanitize-recover=all" &&
        build build-fuzz fuzzers'; then
    tail -n 60 build/setup-logs/fuzz.log
    exit 1
fi

# One target, its output in build-fuzz/NAME.log.
fuzz() {
    local name=$1 found=build-fuzz/corpus/$1 limit

    if [ -n "$seconds" ]; then
        limit=(-max_total_time="$seconds")
    else
        found=build-fuzz/corpus-same/$1
        rm -rf "$found"
        limit=(-runs="$runs" -seed=1 -reload=0)
    fi
    mkdir -p "$found" build-fuzz/artifacts
    dictionary=()
    if [ -e "tests/fuzz/${name#fuzz_}.dict" ]; then
        dictionary=("-dict=tests/fuzz/${name#fuzz_}.dict")
    fi
    sanitized "build-fuzz/tests/fuzz/$name" \
        "${limit[@]}" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 "${dictionary[@]}" \
        -artifact_prefix="build-fuzz/artifacts/$name-" \
        "$found" "tests/fuzz/corpus/${name#fuzz_}" \
        </dev/null >"build-fuzz/$name.log" 2>&1
}

# Only inputs that reach what the kept ones do not; the shortest first.
merge() {
    mkdir -p "build-fuzz/corpus/$1"
    sanitized "build-fuzz/tests/fuzz/$1" -merge=1 -rss_limit_mb=2048 \
        "tests/fuzz/corpus/${1#fuzz_}" "build-fuzz/corpus/$1" \
        </dev/null >"build-fuzz/$1.merge.log" 2>&1
}

kept() {
    find "tests/fuzz/corpus/${1#fuzz_}" -type f | wc -l
}

report() {
    local name=$1 status=$2 runs

    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
        "build-fuzz/$name.log")
    if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
        echo "$name: $runs runs," \
            "$(kept "$name") kept inputs"
        return 0
    fi
    echo "$name: FAILED (status $status)"
    grep -av '^#[0-9]' "build-fuzz/$name.log" | tail -n 60
    echo "again: build-fuzz/tests/fuzz/$name build-fuzz/artifacts/$name-..."
    return 1
}

# As many at once as there are processors.
failed=0
running=()
collect() {
    local name=${running[0]%:*} pid=${running[0]#*:}

    running=("${running[@]:1}")
    wait "$pid"
    report "$name" $? || failed=1
}
progress_begin "Fuzzing ${targets[*]}, $extent each"
for name in "${targets[@]}"; do
    if [ ${#running[@]} -ge "$jobs" ]; then
        collect
    fi
    fuzz "$name" &
    running+=("$name:$!")
done
while [ ${#running[@]} -gt 0 ]; do
    collect
done
progress_end
if [ "$keep" = 1 ] && [ "$failed" = 0 ]; then
    for name in "${targets[@]}"; do
        merge "$name" || failed=1
        echo "$name: $(kept "$name") kept inputs after the merge"
    done
fi
exit "$failed"
