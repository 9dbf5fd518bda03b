#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/coverage.sh [--html]
#
# Line and branch coverage of src/ by the unit tests, the transcripts and the
# command's tests. --html also writes build-cov/coverage.html.
#
# Exit status: 0; 1 if a test failed; 2 for wrong usage.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
case "$*" in
'' | --html) ;;
*)
    echo "usage: tools/coverage.sh [--html]" >&2
    exit 2
    ;;
esac
# shellcheck source=tools/setup.sh
. tools/setup.sh
# shellcheck disable=SC2086 # a list of names
need_packages $packages_for_coverage

must "Building with coverage" build/setup-logs/coverage.log \
    configure_and_build build-cov gcc -Db_coverage=true -Doptimization=0 \
    -Dlock_checks=true -Dc_args=-fprofile-update=atomic
find build-cov -name '*.gcda' -delete

failed=0
run_part() {
    local title=$1 log=$2
    shift 2

    if ! with_progress "$title" "$log" "$@"; then
        tail -n 60 "$log"
        echo "FAIL $title; what follows is what was reached all the same"
        failed=1
    fi
}

# shellcheck disable=SC2317 # called through run_part
play_transcripts() {
    local file status=0

    for file in tests/scenario/*.pcv examples/*.pcv; do
        [ ! -e "$file" ] || build-cov/pcivisor run --check "$file" || status=1
    done
    return "$status"
}

run_part "unit tests" build-cov/unit.log \
    meson test -C build-cov --no-rebuild --suite unit --print-errorlogs
run_part "transcripts" build-cov/transcripts.log play_transcripts
if [ -d tests/cli ]; then
    PCIVISOR=$PWD/build-cov/pcivisor run_part "the command's tests" \
        build-cov/cli.log python3 -m unittest discover -s tests/cli
fi

html=()
if [ "${1:-}" = --html ]; then
    html=(--txt - --html-details build-cov/coverage.html)
fi
# A branch that only an assertion has cannot be taken; gcovr leaves out those
# of unreachable code and of exceptions.
gcovr_src() {
    gcovr --root . --filter 'src/' --object-directory build-cov \
        --exclude-unreachable-branches "$@" build-cov
}
gcovr_src "${html[@]}"
gcovr_src --branches
# Not to /dev/null: gcovr removes the file that it is to write first.
gcovr_src --print-summary --output build-cov/coverage.txt
exit "$failed"
