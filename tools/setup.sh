# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What ./run, ./test and their tools share: progress, packages, builds.
# Sourced by bash, with the project's root as the working directory.
# shellcheck disable=SC2034 # some of what is set here is for who sources it

export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export LC_ALL=C.UTF-8
export PYTHONDONTWRITEBYTECODE=1

jobs=$(nproc 2>/dev/null || echo 2)
verbose=${verbose:-0}
terminal=0
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
    terminal=1
fi

# ---- progress ----

# Runs beside a step and tells that it is still at work: on a terminal one
# line that counts the seconds, elsewhere one plain line.
progress_ticker() {
    local title=$1 from=$SECONDS nothing

    exec 9<> <(:) # a pipe that never says anything: a sleep to be killed
    read -r -t 2 -u 9 nothing
    if [ "$terminal" = 0 ]; then
        printf '%s ...\n' "$title"
        return
    fi
    while :; do
        printf '\r%s ... %d s' "$title" $((SECONDS - from))
        read -r -t 1 -u 9 nothing
    done
}

ticker=

progress_begin() {
    ticker=
    if [ "$verbose" = 0 ]; then
        progress_ticker "$1" &
        ticker=$!
    fi
}

progress_end() {
    if [ -n "$ticker" ]; then
        kill "$ticker" 2>/dev/null
        wait "$ticker" 2>/dev/null
        ticker=
        if [ "$terminal" = 1 ]; then
            printf '\r\033[K'
        fi
    fi
}

trap progress_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# with_progress TITLE LOG COMMAND...: output goes to LOG (and is seen with
# --verbose), input is closed. The result is the command's.
with_progress() {
    local title=$1 log=$2 status
    shift 2

    mkdir -p "$(dirname "$log")"
    progress_begin "$title"
    if [ "$verbose" = 1 ]; then
        printf '== %s\n' "$title"
        "$@" </dev/null 2>&1 | tee "$log"
        status=${PIPESTATUS[0]}
    else
        "$@" </dev/null >"$log" 2>&1
        status=$?
    fi
    progress_end
    return "$status"
}

# must TITLE LOG COMMAND...: as with_progress, but a failure shows the log and
# is the end.
must() {
    local status

    with_progress "$@"
    status=$?
    if [ "$status" -ne 0 ]; then
        if [ "$verbose" = 0 ]; then
            tail -n 60 "$2"
        fi
        printf '\n%s: failed with status %d; all of its output: %s\n' \
            "$1" "$status" "$2" >&2
        exit 1
    fi
}

# ---- packages ----

have() {
    command -v "$1" >/dev/null 2>&1
}

have_library() {
    have pkg-config && pkg-config --exists "$1"
}

have_clang_runtime() {
    have clang && ls "$(clang -print-resource-dir)"/lib/*/libclang_rt.fuzzer* \
        >/dev/null 2>&1
}

# Whether what a package is for is there, wherever it came from.
have_package() {
    case $1 in
    gcc | meson | python3 | gcovr | clang | clang-format | clang-tidy | spin)
        have "$1" ;;
    libc6-dev) have gcc && echo '#include <stdio.h>' |
        gcc -E -x c - >/dev/null 2>&1 ;;
    ninja-build) have ninja ;;
    pkg-config) have pkg-config ;;
    pciutils) have lspci ;;
    qemu-system-arm) have qemu-system-aarch64 ;;
    gcc-aarch64-linux-gnu) have aarch64-linux-gnu-gcc ;;
    libc6-dev-arm64-cross) have aarch64-linux-gnu-gcc &&
        echo '#include <stdio.h>' |
        aarch64-linux-gnu-gcc -E -x c - >/dev/null 2>&1 ;;
    cpio) have cpio ;;
    pci.ids) [ -e /usr/share/misc/pci.ids ] ||
        [ -e /usr/share/misc/pci.ids.gz ] ||
        [ -e /usr/share/hwdata/pci.ids ] ;;
    libpci-dev) have_library libpci ;;
    libjson-c-dev) have_library json-c ;;
    libedit-dev) have_library libedit ;;
    libcmocka-dev) have_library cmocka ;;
    libclang-rt-14-dev) have_clang_runtime ;;
    *) return 1 ;;
    esac
}

packages_to_run="gcc libc6-dev meson ninja-build pkg-config python3
    libpci-dev pciutils pci.ids libjson-c-dev libedit-dev libcmocka-dev"
packages_for_guest="gcc libc6-dev meson ninja-build pkg-config python3
    qemu-system-arm gcc-aarch64-linux-gnu libc6-dev-arm64-cross cpio"
packages_to_test="$packages_to_run clang clang-format clang-tidy spin
    libclang-rt-14-dev qemu-system-arm gcc-aarch64-linux-gnu
    libc6-dev-arm64-cross cpio"
packages_for_coverage="$packages_to_run gcovr"

missing_packages() {
    local package

    for package in "$@"; do
        have_package "$package" || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        # sudo drops the environment, so what apt reads is said here
        sudo -n env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

may_install() {
    have apt-get && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# Its arguments are packages. Lists that are missing or too old to install
# from are fetched; the first try answers fast where they are good.
apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    set -- apt-get -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 \
        install --no-install-recommends "$@"

    if ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1 && as_root "$@"; then
        return 0
    fi
    as_root apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 update &&
        as_root "$@"
}

say_what_to_install() {
    {
        echo "These packages are missing, and cannot be installed from here:"
        echo
        if ! have apt-get; then
            echo "    $*"
            echo
            echo "The names are Debian's (12 or later); install what your" \
                "system calls them."
        elif [ "$(id -u)" = 0 ]; then
            echo "    apt-get update && apt-get install -y" \
                "--no-install-recommends $*"
        elif have sudo; then
            echo "    sudo apt-get update && sudo apt-get install -y" \
                "--no-install-recommends $*"
        else
            echo "    su -c 'apt-get update && apt-get install -y" \
                "--no-install-recommends $*'"
        fi
        echo
        echo "Then start this again."
    } >&2
}

# need_packages PACKAGE...: installs what is missing, or says how and ends.
need_packages() {
    local missing

    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        return 0
    fi
    # shellcheck disable=SC2086 # a list of names
    if ! may_install; then
        say_what_to_install $missing
        exit 1
    fi
    # shellcheck disable=SC2086
    if ! with_progress "Installing ${missing% }" build/setup-logs/apt.log \
        apt_install $missing; then
        grep -E '^[EW]: ' build/setup-logs/apt.log >&2
        echo "apt failed; all that it said: build/setup-logs/apt.log" >&2
    fi
    hash -r
    # shellcheck disable=SC2086
    missing=$(missing_packages $missing)
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086
        say_what_to_install $missing
        exit 1
    fi
}

# ---- builds ----

# configure DIR COMPILER [MESON-OPTION...]: once; again if the options differ
# or the tree was moved, because Meson keeps absolute paths.
configure() {
    local dir=$1 compiler=$2 stamp
    shift 2

    stamp="$PWD $compiler $*"
    if [ -e "$dir/build.ninja" ] &&
        [ "$(cat "$dir/.configured" 2>/dev/null)" = "$stamp" ]; then
        return 0
    fi
    rm -rf "$dir/meson-private" "$dir/meson-info" "$dir/build.ninja"
    CC=$compiler meson setup "$dir" "$@" &&
        printf '%s\n' "$stamp" >"$dir/.configured"
}

# build DIR TARGET...
build() {
    local dir=$1
    shift

    ninja -C "$dir" -j "$jobs" "$@"
}

configure_and_build() {
    local dir=$1 compiler=$2
    shift 2

    configure "$dir" "$compiler" "$@" && build "$dir"
}

# The build that ./run and most tests use.
need_build() {
    must "Building" build/setup-logs/build.log configure_and_build build gcc
}

# The reference hypervisor, and what runs on it.
build_guest() {
    tools/guest_fetch.sh && tools/build_hyp.sh &&
        tools/guest_initramfs.sh build-hyp/pcivisorctl
}

# Sanitizers lay out memory themselves and may find a kernel's randomised
# layout in their way; without randomisation they do not.
sanitized() {
    if setarch -R true 2>/dev/null; then
        set -- setarch -R "$@"
    fi
    ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 "$@"
}
