#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/build_hyp.sh
#
# Builds the reference hypervisor for arm64 into build-hyp/: hyp.bin, and
# hyp.elf for debuggers; pcivisorctl for its hardware domain; and hostile.bin,
# a kernel that attacks it. What it needs is installed by ./run and ./test;
# libfdt comes from the cache that tools/guest_fetch.sh fills.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# shellcheck source=tools/setup.sh
. tools/setup.sh

cache=$(tools/guest_fetch.sh --path) || exit 1
configure build-hyp aarch64-linux-gnu-gcc --cross-file hyp/arm64.ini \
    -Dtools=false -Dhypervisor=true -Db_staticpic=false -Db_pie=false \
    -Dlibfdt="$cache/root/usr" && build build-hyp || exit 1
configure build-hyp/guest-tools aarch64-linux-gnu-gcc \
    --cross-file hyp/arm64.ini -Dtools=false -Dpcivisorctl=true \
    -Dc_link_args=-static && build build-hyp/guest-tools || exit 1
cp build-hyp/hyp/hyp.bin build-hyp/hyp/hyp.elf \
    build-hyp/tests/guest/hostile/hostile.bin \
    build-hyp/guest-tools/pcivisorctl build-hyp/
# For clang-tidy, which does not know every option of gcc.
mkdir -p build-hyp/tidy && sed 's/-fno-tree-loop-distribute-patterns//g' \
    build-hyp/compile_commands.json >build-hyp/tidy/compile_commands.json
