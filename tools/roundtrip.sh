#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/roundtrip.sh FILE...
#
# For each capture of a machine: does the real lspci decode what the hardware
# domain sees through pcivisor to the same text as the original? Differences
# that docs/roundtrip-differences.txt explains are shown with the reason; any
# other is a failure.
#
# PCIVISOR is the command to use (build/pcivisor), DIFFERENCES another list.
# Exit status: 0; 1 for a difference that is not explained; 2 for wrong usage.

# The files are named from where the caller stands.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
pcivisor=${PCIVISOR:-$root/build/pcivisor}
list=${DIFFERENCES:-$root/docs/roundtrip-differences.txt}
export PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL=C.UTF-8
[ -r "$list" ] || list=/dev/null
most=40 # differing lines that are shown of a file

if [ $# -eq 0 ]; then
    echo "usage: tools/roundtrip.sh FILE..." >&2
    exit 2
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

decode() {
    lspci -F "$1" -nn -vvv
}

# explain FILE OF DIFFERING LINES: prints each with its reason; false if one
# has none. A line of the list is: pattern, tab, reason.
explain() {
    awk -F '\t' -v most="$most" '
        FILENAME == ARGV[1] {
            if ($0 !~ /^(#|[ \t]*$)/ && NF >= 2) {
                pattern[++patterns] = $1
                reason[patterns] = $2
            }
            next
        }
        /^[<>]/ {
            why = ""
            for (i = 1; i <= patterns && why == ""; i++) {
                if ($0 ~ pattern[i]) {
                    why = reason[i]
                }
            }
            if (why == "") {
                bad++
            }
            if (++shown <= most || (why == "" && bad <= most)) {
                print "    " $0
                print "        " (why == "" ? "NOT EXPLAINED" : why)
            }
        }
        END {
            if (shown > most) {
                print "    " shown " differing lines in all"
            }
            exit bad > 0
        }' "$list" "$1"
}

round_trip() {
    local file=$1 functions diff_status

    if ! "$pcivisor" lspci "$file" --as dom0 -o "$work/view" \
        </dev/null >"$work/said" 2>&1; then
        echo "FAILED: $pcivisor lspci $file --as dom0"
        sed 's/^/    /' "$work/said"
        return 1
    fi
    if ! decode "$file" >"$work/before" 2>"$work/said" ||
        ! decode "$work/view" >"$work/after" 2>>"$work/said"; then
        echo "FAILED: lspci -F cannot read $file or its view"
        sed 's/^/    /' "$work/said"
        return 1
    fi
    functions=$(grep -c '^[0-9a-f]' "$work/before")
    if [ "$functions" -eq 0 ]; then
        echo "FAILED: lspci -F finds no function in $file"
        return 1
    fi
    diff "$work/before" "$work/after" >"$work/diff"
    diff_status=$?
    if [ "$diff_status" -eq 0 ]; then
        printf '%s: %d functions, identical\n' "$file" "$functions"
        return 0
    fi
    printf '%s: %d functions, with differences (< original, > view)\n' \
        "$file" "$functions"
    [ "$diff_status" -eq 1 ] && explain "$work/diff"
}

status=0
for file in "$@"; do
    if [ ! -r "$file" ]; then
        echo "FAILED: $file cannot be read"
        status=1
    elif ! round_trip "$file"; then
        status=1
    fi
done
exit "$status"
