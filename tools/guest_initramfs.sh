#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/guest_initramfs.sh [--output FILE] [PROGRAM...]
#
# Builds the initramfs of the hardware domain: busybox, lspci and setpci with
# the libraries that they need, the drivers of the devices that the tests use,
# tests/guest/init, and the given programs (pcivisorctl) in /bin. The same
# input gives the same file, byte for byte.
#
# It is not compressed: an emulated processor takes longer to decompress it
# than to copy it.
#
# FILE is build-hyp/guest/initramfs.cpio if not given.
# Exit status: 0; 1 if something failed; 2 for wrong usage.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
output=$root/build-hyp/guest/initramfs.cpio
compiler=${PCV_ARM64_CC:-aarch64-linux-gnu-gcc}
readelf=${PCV_ARM64_READELF:-aarch64-linux-gnu-readelf}
programs=()
export LC_ALL=C.UTF-8

# Drivers; what they need comes along.
wanted="nvme e1000e xhci-pci virtio_pci virtio_blk virtio_net ahci sd_mod"
wanted+=" pci-pf-stub" # for virtual functions of what no driver can drive

while [ $# -gt 0 ]; do
    case $1 in
    --output)
        shift
        output=$1
        ;;
    -* | '')
        echo "usage: tools/guest_initramfs.sh [--output FILE] [PROGRAM...]" >&2
        exit 2
        ;;
    *) programs+=("$1") ;;
    esac
    shift
done

die() {
    printf 'initramfs: %s\n' "$*" >&2
    exit 1
}

guest=$("$root/tools/guest_fetch.sh" --path)
[ -s "$guest/versions" ] || die "first run tools/guest_fetch.sh"
release=$(cat "$guest/kernel")
modules=$guest/root/lib/modules/$release
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tree=$work/tree

# One line for each module file: name, tab, file. A module's own name has
# underscores where its file may have hyphens.
index_modules() {
    find "$modules/kernel" -name '*.ko' |
        awk -F / '{ name = $NF; sub(/\.ko$/, "", name); gsub(/-/, "_", name)
                    print name "\t" $0 }' >"$work/modules"
}

module_file() {
    awk -F '\t' -v name="${1//-/_}" '$1 == name { print $2; exit }' \
        "$work/modules"
}

# add_module NAME: after what it needs, each once. What is built in has no
# file, and is no need.
add_module() {
    local file need

    file=$(module_file "$1")
    [ -n "$file" ] || return 0
    grep -qxF "$file" "$work/order" && return 0
    for need in $(tr '\0' '\n' <"$file" | sed -n 's/^depends=//p' |
        tr , ' '); do
        add_module "$need"
    done
    echo "$file" >>"$work/order"
}

install_modules() {
    local name file

    index_modules
    : >"$work/order"
    for name in $wanted; do
        [ -n "$(module_file "$name")" ] || die "$release has no module $name"
        add_module "$name"
    done
    mkdir -p "$tree/lib/modules"
    while IFS= read -r file; do
        cp "$file" "$tree/lib/modules/" || return 1
        echo "/lib/modules/${file##*/}"
    done <"$work/order" >"$tree/etc/modules"
}

# Everything that a program names as needed, and what that needs.
install_libraries() {
    local name file

    "$readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        while IFS= read -r name; do
            case $name in ld-linux-*) continue ;; esac # install_programs()
            [ -e "$tree/lib/aarch64-linux-gnu/$name" ] && continue
            file=$(find "$guest/root/lib" "$guest/root/usr/lib" \
                -name "$name" | head -n 1)
            [ -n "$file" ] || die "$name is needed by ${1##*/}, and missing"
            cp -L "$file" "$tree/lib/aarch64-linux-gnu/$name" || exit 1
            install_libraries "$file" || exit 1
        done
}

install_programs() {
    local program

    cp "$guest/root/bin/busybox" "$tree/bin/" || return 1
    cp "$guest/root/usr/share/misc/pci.ids" "$tree/usr/share/misc/" || return 1
    for program in lspci setpci; do
        cp "$guest/root/usr/bin/$program" "$tree/usr/bin/" || return 1
        install_libraries "$guest/root/usr/bin/$program" || return 1
    done
    cp -L "$guest/root/lib/ld-linux-aarch64.so.1" "$tree/lib/" || return 1
    if [ ${#programs[@]} -gt 0 ]; then
        cp "${programs[@]}" "$tree/bin/" || return 1
    fi
    "$compiler" -std=c11 -O2 -Wall -Wextra -ffreestanding -nostdlib -static \
        -fno-stack-protector -o "$tree/bin/counter" \
        "$root/tests/guest/counter.c" || return 1
    cp "$root/tests/guest/init" "$tree/init"
}

pack() {
    chmod -R u=rwX,go=rX "$tree"
    chmod +x "$tree/init" "$tree/bin/"* "$tree/usr/bin/"*
    find "$tree" -exec touch -h -d @0 {} +
    mkdir -p "$(dirname "$output")" || return 1
    (cd "$tree" && find . | LC_ALL=C sort |
        cpio -o -H newc -R 0:0 --reproducible --quiet) >"$work/initramfs" &&
        mv "$work/initramfs" "$output"
}

mkdir -p "$tree"/{bin,etc,dev,lib/aarch64-linux-gnu,usr/bin,usr/share/misc}
install_modules || die "the modules could not be copied"
install_programs || die "the programs could not be copied"
pack || die "$output could not be written"
