#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check_format.sh [--fix]
#
# Every C file is as clang-format leaves it and begins with its licence; no
# text file of ours has trailing blanks or, outside Makefiles, tabs for
# indentation. --fix lets clang-format mend what it can.
#
# Exit status: 0; 1 if something is to be mended; 2 for wrong usage.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
status=0
mode=(--dry-run -Werror)
case "$*" in
'') ;;
--fix) mode=(-i) ;;
*)
    echo "usage: tools/check_format.sh [--fix]" >&2
    exit 2
    ;;
esac

# Rooms that are not there yet are no fault.
rooms=()
for room in include src host hyp cli tests bench proofs examples tools docs; do
    [ -d "$room" ] && rooms+=("$room")
done

mapfile -d '' -t sources < <(
    find "${rooms[@]}" -name '*.[ch]' -type f -print0 | sort -z)
if [ ${#sources[@]} -eq 0 ]; then
    echo "check_format: there are no C files" >&2
    exit 1
fi
if ! said=$(clang-format "${mode[@]}" "${sources[@]}" 2>&1); then
    grep ': error: ' <<<"$said" || printf '%s\n' "$said"
    echo "$(clang-format --version): tools/check_format.sh --fix mends this"
    status=1
fi

for file in "${sources[@]}"; do
    IFS= read -r first <"$file"
    if [ "$first" != '/* SPDX-License-Identifier: MIT */' ]; then
        echo "$file:1: the first line is not the licence's identifier"
        status=1
    fi
done

# Captures and kept corpora are what a machine printed.
mapfile -d '' -t texts < <(
    find "${rooms[@]}" meson.build meson_options.txt README.md run test .ci \
        \( -path examples/hosts -o -path tests/fuzz/corpus -o \
        -name __pycache__ \) -prune -o -type f \( -name '*.[ch]' -o \
        -name '*.py' -o -name '*.sh' -o -name '*.md' -o -name meson.build -o \
        -name run -o -name test -o -name meson_options.txt \) -print0 \
        2>/dev/null | sort -z)
if grep -nHE '[[:blank:]]+$' "${texts[@]}"; then
    echo "trailing blanks: see above"
    status=1
fi
if grep -nHP '^ *\t' "${texts[@]}"; then
    echo "tabs for indentation: see above"
    status=1
fi
exit "$status"
