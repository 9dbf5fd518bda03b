#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check_cross.sh [TARGET...]
#
# The library compiles without a warning for other processors, big-endian ones
# among them, freestanding and without a libc's headers, with its run-time
# checks and without; and every public header can be included alone. Clang
# knows all targets, so nothing need be installed for them. The annotations of
# locks (-Wthread-safety) are checked as well. With PCV_TEST_LONG=1 each gcc
# for such a processor that is installed compiles it, too.
#
# Prints a line a target. Exit status: 0; 1 if one failed.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
if [ $# -eq 0 ]; then
    set -- x86_64-linux-gnu aarch64-linux-gnu riscv64-linux-gnu \
        s390x-linux-gnu powerpc64-linux-gnu
fi
flags=(-std=c11 -ffreestanding -fsyntax-only -Iinclude -Isrc
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef)

mapfile -d '' -t sources < <(find src -name '*.c' -print0 | sort -z)
mapfile -d '' -t headers < <(find include -name '*.h' -print0 | sort -z)
if [ ${#sources[@]} -eq 0 ] || [ ${#headers[@]} -eq 0 ]; then
    echo "check_cross: there is no library"
    exit 1
fi

# compile COMPILER OPTION... -- FILE...
compile() {
    local command=()

    while [ "$1" != -- ]; do
        command+=("$1")
        shift
    done
    shift
    printf '%s\0' "$@" |
        xargs -0 -n 16 -P "$(nproc)" \
            "${command[0]}" "${flags[@]}" "${command[@]:1}"
}

# check COMPILER OPTION...
check() {
    compile "$@" -DPCV_DEBUG=1 -- "${sources[@]}" &&
        compile "$@" -DPCV_DEBUG=0 -- "${sources[@]}" &&
        compile "$@" -DPCV_DEBUG=0 -Wno-unused-function -Wno-pedantic \
            -x c -- "${headers[@]}"
}

status=0
for target in "$@"; do
    if check clang "--target=$target" -nostdlibinc -Wthread-safety; then
        echo "ok $target, clang"
    else
        echo "FAIL $target, clang"
        status=1
    fi
    if [ "${PCV_TEST_LONG:-0}" = 1 ] && command -v "$target-gcc" >/dev/null
    then
        if check "$target-gcc"; then
            echo "ok $target, gcc"
        else
            echo "FAIL $target, gcc"
            status=1
        fi
    fi
done
exit "$status"
