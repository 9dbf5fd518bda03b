#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check_tidy.sh BUILD-DIR [FILE...]
#
# clang-tidy over every C file that the build compiles, or over FILEs, with
# .clang-tidy's checks. A file that was clean is looked at again only when it,
# a header, the checks or the way it is compiled changed; BUILD-DIR/tidy-clean
# holds the marks.
#
# Exit status: 0; 1 for a warning; 2 for wrong usage.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
if [ $# -lt 1 ] || [ ! -r "$1/compile_commands.json" ]; then
    echo "usage: tools/check_tidy.sh BUILD-DIR [FILE...]" >&2
    echo "BUILD-DIR is one that meson set up" >&2
    exit 2
fi
build=$1
shift
clean=$build/tidy-clean
mkdir -p "$clean" || exit 1

# What every file's result depends on; Meson writes a compile command a file.
shared=$({
    clang-tidy --version
    find . -path './build*' -prune -o -name '*.h' -type f -print0 | sort -z |
        xargs -0 sha256sum
    cat .clang-tidy "$build/compile_commands.json"
} | sha256sum)

tidy_one() {
    local mark said

    mark=$2/$({ echo "$3"; sha256sum "$4"; } | sha256sum | cut -c 1-32)
    if [ -e "$mark" ]; then
        return 0
    fi
    # One file's findings stay together though several run at once. How
    # many warnings it kept to itself in others' headers is not for us.
    if said=$(clang-tidy --quiet -p "$1" "$4" 2>&1); then
        : >"$mark"
    else
        grep -v '^[0-9]* warnings\? .*generated\.$' <<<"$said"
        echo "$4: not clean"
        return 1
    fi
}
export -f tidy_one

if [ $# -eq 0 ]; then
    mapfile -t files < <(python3 - "$build" <<'END'
import json
import os
import sys

build = sys.argv[1]
with open(os.path.join(build, "compile_commands.json")) as database:
    files = {os.path.relpath(os.path.join(entry["directory"], entry["file"]))
             for entry in json.load(database)}
print("\n".join(sorted(f for f in files
                       if f.endswith(".c") and not f.startswith(".."))))
END
    )
    set -- "${files[@]}"
fi
if [ $# -eq 0 ]; then
    echo "check_tidy: the build has no C files" >&2
    exit 1
fi
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" bash -c 'tidy_one "$@" ||
    exit 1' tidy "$build" "$clean" "$shared" || exit 1
echo "$# files are clean"
