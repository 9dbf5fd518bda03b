#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/guest_fetch.sh [--path | --refresh]
#
# Fetches what runs on the reference hypervisor: Debian's own kernel for arm64,
# busybox and pciutils for its initramfs, and libfdt to link the hypervisor
# with. Nothing is installed and the machine's own package lists stay as they
# are: apt works on lists and a status file of its own, without root, and
# checks the signatures as ever.
#
# Everything is kept in ${XDG_CACHE_HOME:-~/.cache}/pcivisor/guest:
#   versions   what it is, a line for each package; written last
#   vmlinuz    the kernel, uncompressed: an arm64 Image
#   kernel     the kernel's release, as uname -r prints it
#   root/      the packages, unpacked
# Once there it is used as it is, without a network. --refresh fetches anew,
# --path only prints where it is. An interrupted download goes on where it was.
#
# PCV_DEBIAN_MIRROR and PCV_DEBIAN_SUITE name another source.
# Exit status: 0; 1 if something failed; 2 for wrong usage.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
mirror=${PCV_DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=${PCV_DEBIAN_SUITE:-bookworm}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pcivisor
goal=$cache/guest
part=$cache/guest.part
export LC_ALL=C.UTF-8

# The kernel is added by name: it changes with each of its versions.
packages="busybox-static pciutils pci.ids libfdt-dev libfdt1
    libpci3 libc6 libkmod2 zlib1g liblzma5 libzstd1 libssl3 libudev1 libcap2"

case $*$# in
0) ;;
--path1)
    printf '%s\n' "$goal"
    exit 0
    ;;
--refresh1) rm -f "$goal/versions" ;;
*)
    echo "usage: tools/guest_fetch.sh [--path | --refresh]" >&2
    exit 2
    ;;
esac

say() {
    printf 'guest: %s\n' "$*"
}

die() {
    printf 'guest: %s\n' "$*" >&2
    exit 1
}

# What a complete cache was asked for: a change of it is a reason to fetch.
request() {
    # shellcheck disable=SC2086 # a list of names
    echo "# $mirror $suite arm64:" $packages
}

complete() {
    [ -s "$goal/vmlinuz" ] && [ -s "$goal/kernel" ] &&
        [ "$(head -n 1 "$goal/versions" 2>/dev/null)" = "$(request)" ]
}

# apt TOOL ARGUMENT...: on our own lists.
apt() {
    local tool=$1
    shift

    "$tool" -q -o "Dir::State=$part/state" \
        -o "Dir::State::status=$part/state/status" \
        -o "Dir::Cache=$part/cache" -o "Dir::Log=$part/log" \
        -o "Dir::Etc::SourceList=$part/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null \
        -o Dir::Etc::PreferencesParts=/dev/null \
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none \
        -o Acquire::Retries=3 "$@"
}

prepare() {
    local signed=''

    mkdir -p "$part"/{state/lists/partial,cache/archives/partial,log,debs} ||
        return 1
    : >"$part/state/status"
    if [ -r "$keyring" ]; then
        signed="[signed-by=$keyring] "
    fi
    printf 'deb %s%s %s main\n' "$signed" "$mirror" "$suite" \
        >"$part/sources.list"
}

# The metapackage's one dependency that is a kernel.
kernel_package() {
    apt apt-cache depends linux-image-arm64 |
        sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1
}

# fetch KERNEL: packages that are there already, whole, are not fetched again.
fetch() {
    local found

    # shellcheck disable=SC2086
    (cd "$part/debs" && apt apt-get download "$1" $packages) || return 1
    found=$(find "$part/debs" -name '*.deb' | wc -l)
    # shellcheck disable=SC2086
    set -- "$1" $packages
    [ "$found" -eq $# ] || {
        # of an interrupted run with older lists
        rm -f "$part"/debs/*.deb
        (cd "$part/debs" && apt apt-get download "$@")
    }
}

# What is of no use here and takes three quarters of the room.
unpack() {
    local deb modules

    rm -rf "$part/goal"
    mkdir -p "$part/goal/root" || return 1
    request >"$part/goal/versions.new"
    for deb in "$part"/debs/*.deb; do
        dpkg-deb -x "$deb" "$part/goal/root" || return 1
        # shellcheck disable=SC2016 # dpkg-deb's own words
        dpkg-deb -W --showformat='${Package} ${Version} ${Architecture}\n' \
            "$deb" >>"$part/goal/versions.new" || return 1
    done
    for modules in "$part"/goal/root/lib/modules/*/kernel; do
        rm -rf "$modules/sound" "$modules/drivers"/{gpu,media,infiniband,iio} \
            "$modules/drivers/net/wireless"
    done
}

# The kernel may be an Image, an Image in gzip, or one in an EFI program.
uncompress() {
    python3 -B - "$1" "$2" <<'END'
import gzip
import lzma
import sys

with open(sys.argv[1], 'rb') as file:
    data = file.read()
if data[4:8] == b'zimg':
    start = int.from_bytes(data[8:12], 'little')
    size = int.from_bytes(data[12:16], 'little')
    kind = data[24:56].split(b'\0')[0].decode('ascii', 'replace')
    data = data[start:start + size]
    if kind not in ('gzip', 'lzma', 'xz'):
        sys.exit('vmlinuz: a compression that is not known here: ' + kind)
    if kind != 'gzip':
        data = lzma.decompress(data)
if data[:2] == b'\x1f\x8b':
    data = gzip.decompress(data)
if data[0x38:0x3c] != b'ARM\x64':
    sys.exit('vmlinuz: no arm64 Image')
with open(sys.argv[2], 'wb') as file:
    file.write(data)
END
}

finish() {
    local kernel

    kernel=$(basename "$part"/goal/root/boot/vmlinuz-*)
    uncompress "$part/goal/root/boot/$kernel" "$part/goal/vmlinuz" || return 1
    rm -f "$part"/goal/root/boot/{vmlinuz,System.map}-*
    printf '%s\n' "${kernel#vmlinuz-}" >"$part/goal/kernel"
    mv "$part/goal/versions.new" "$part/goal/versions" || return 1
    rm -rf "$goal"
    mv "$part/goal" "$goal" && rm -rf "$part"
}

cd "$root" || exit 1
if complete; then
    exit 0
fi
mkdir -p "$cache" || exit 1
exec 8>"$cache/guest.lock"
if ! flock -n 8; then
    say "waiting for another that fetches"
    flock 8
fi
complete && exit 0
for tool in apt-get apt-cache dpkg-deb python3; do
    command -v "$tool" >/dev/null 2>&1 || die "$tool is missing"
done
prepare || die "cannot write in $cache"
say "fetching the lists of $suite for arm64"
apt apt-get update || die "no lists from $mirror"
kernel=$(kernel_package)
[ -n "$kernel" ] || die "$suite has no linux-image-arm64"
say "fetching $kernel, busybox, pciutils and libfdt (70 MB)"
fetch "$kernel" || die "not everything could be fetched; start again"
say "unpacking"
unpack || die "unpacking failed"
finish || die "unpacking failed"
say "$goal is complete"
