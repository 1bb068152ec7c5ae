# shellcheck shell=bash
# SPDX-License-Identifier: MPL-2.0
#
# Functions for scripts that work in a chroot of Debian: pipelines/package.sh, tests/debian13.sh, tests/packages.sh,
# tests/wheel.sh. A script sets `release` (12 or 13), `chroot` (the folder) and `root` (the repository), defines `say`
# and `die`, and runs in a mount namespace of its own, so that what it mounts disappears with it.
# shellcheck disable=SC2154 # those variables

chroot_cache=${XDG_CACHE_HOME:-$HOME/.cache}/gst-attitude

# Prints why no chroot can be used here; fails if there is no reason.
chroot_obstacle() {
    if [[ $EUID != 0 ]]; then
        echo "a chroot requires root; run ${0##*/} as root"
    elif ! command -v debootstrap >/dev/null; then
        echo "debootstrap is not installed; run apt-get install debootstrap"
    elif ! unshare --mount true 2>/dev/null; then
        echo "root cannot mount here, as in an unprivileged container"
    else
        return 1
    fi
}

# Mounts a folder of the host in the chroot.
bind() { # folder, path in the chroot, mount options
    mkdir -p "$chroot$2"
    mount --bind -o "$3" "$1" "$chroot$2"
}

# Runs a command in the chroot, without the environment of the host.
inside() { # folder command...
    chroot "$chroot" env -i -C "$1" PATH=/mnt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 "${@:2}"
}

# Creates the chroot as a copy of a minimal one, which is kept, and mounts what programs expect. Each is renamed last, so
# that an existing one is complete.
make_chroot() {
    local codename minimal=$chroot_cache/debian$release-minimal
    case $release in
        12) codename=bookworm ;;
        13) codename=trixie ;;
        *) die "Debian '$release' is unknown; use 12 or 13" ;;
    esac
    if [[ ! -d $minimal ]]; then
        say "creating a minimal chroot of Debian $release in $minimal"
        rm -rf "$minimal.new"
        mkdir -p "$chroot_cache"
        debootstrap --variant=minbase --include=ca-certificates "$codename" "$minimal.new" http://deb.debian.org/debian
        # Nobody needs it after a crash of the machine: dpkg waits for the disk no more.
        echo force-unsafe-io >"$minimal.new/etc/dpkg/dpkg.cfg.d/unsafe-io"
        mv -T "$minimal.new" "$minimal"
    fi
    if [[ ! -d $chroot ]]; then
        rm -rf "$chroot.new"
        cp -a "$minimal" "$chroot.new"
        mv -T "$chroot.new" "$chroot"
    fi
    mount -t proc proc "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount -t tmpfs tmpfs "$chroot/tmp"
    cp /etc/resolv.conf "$chroot/etc/resolv.conf"
}

# Installs the Debian packages that the chroot lacks.
install_in_chroot() { # packages
    local installed
    # shellcheck disable=SC2016 # dpkg-query expands it
    installed=$(inside / dpkg-query -W -f '${db:Status-Status}\n' "$@" 2>/dev/null | grep -cx installed) || true
    if [[ $installed != "$#" ]]; then
        say "installing Debian packages"
        inside / dpkg --configure -a # Completes an interrupted installation.
        inside / apt-get update -q
        inside / env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
        inside / apt-get clean
    fi
}

# Mounts the host's Rust and the crates of the workspace, and sets `cargo_in_chroot`, the words before a command that
# uses them without the network.
share_rust() { # folder of the host for cargo's results
    local sysroot cargo_home=${CARGO_HOME:-$HOME/.cargo}
    command -v rustc >/dev/null || die "no Rust compiler found in root's PATH; install Rust with https://rustup.rs"
    sysroot=$(rustc --print sysroot)
    [[ -x $sysroot/bin/cargo ]] || die "no cargo in $sysroot/bin; install Rust with https://rustup.rs"
    (cd "$root" && cargo fetch --locked --quiet)
    mkdir -p "$1"
    bind "$sysroot" /mnt/rust ro
    bind "$cargo_home" /mnt/cargo ro
    bind "$root" /mnt/sources/gst-attitude ro
    bind "$1" /mnt/target rw
    # shellcheck disable=SC2034 # for the script that sources this file
    cargo_in_chroot=(
        inside /mnt/sources/gst-attitude CARGO_HOME=/mnt/cargo CARGO_TARGET_DIR=/mnt/target CARGO_NET_OFFLINE=true
    )
}

# Removes a known complaint of Debian 13's ONNX Runtime, which registers each operator twice: 567 lines, each followed by
# an empty one.
filter_known_messages() {
    sed --unbuffered '/^Schema error: Trying to register schema/,+1d'
}
