#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Runs lints and tests in a chroot of Debian 13: GStreamer 1.26, Debian's ONNX Runtime, feature `analytics`.
#
#     tests/debian13.sh [ARGUMENT of cargo test...]
#
# Rust, the crates and the sources are shared with the host. The chroot and its build, about 6 GB, are kept in
# ~/.cache/gst-attitude. Without root or debootstrap, the script reports that it was skipped and succeeds.
set -euo pipefail

readonly PACKAGES=(
    gcc libc6-dev pkg-config libcairo2-dev libpango1.0-dev
    libgstreamer1.0-dev libgstreamer-plugins-{base,bad}1.0-dev
    gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav gstreamer1.0-opencv gstreamer1.0-tools
    libonnxruntime1.21 fonts-dejavu-core opencv-data
    python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-{base,bad}-1.0
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-{rtsp,nice} gstreamer1.0-gl libgl1-mesa-dri libegl-mesa0
)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gst-attitude
readonly root cache chroot=$cache/debian13 target=$cache/debian13-target

say() { echo "debian13: $*"; }
die() { echo "debian13: $*" >&2; exit 1; }
skip() { say "skipped: $*"; exit; }

# Mounts a folder of the host in the chroot.
bind() { # folder, path in the chroot, mount options
    mkdir -p "$chroot$2"
    mount --bind -o "$3" "$1" "$chroot$2"
}

# Runs a command in the chroot, without the environment of the host.
inside() { # folder command...
    chroot "$chroot" env -i -C "$1" PATH=/mnt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 "${@:2}"
}

# Creates the chroot. It is renamed last, so that an existing one is complete.
make_chroot() {
    [[ ! -d $chroot ]] || return 0
    say "creating a Debian 13 chroot in $chroot"
    rm -rf "$chroot.new"
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=ca-certificates trixie "$chroot.new" http://deb.debian.org/debian
    mv -T "$chroot.new" "$chroot"
}

install_packages() {
    local installed
    # shellcheck disable=SC2016 # dpkg-query expands it
    installed=$(inside / dpkg-query -W -f '${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null | grep -cx installed) || true
    if [[ $installed != "${#PACKAGES[@]}" ]]; then
        say "installing Debian packages"
        cp /etc/resolv.conf "$chroot/etc/resolv.conf"
        inside / dpkg --configure -a # Completes an interrupted installation.
        inside / apt-get update -q
        inside / env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${PACKAGES[@]}"
        inside / apt-get clean
    fi
}

# Removes a known complaint of Debian's ONNX Runtime, which registers each operator twice: 567 lines, each followed by an
# empty one.
filter_known_messages() {
    sed --unbuffered '/^Schema error: Trying to register schema/,+1d'
}

# Runs the lints and tests; expects private mounts, which are removed when this process ends.
run_tests() { # arguments of cargo test
    local sysroot cargo_home=${CARGO_HOME:-$HOME/.cargo}
    sysroot=$(rustc --print sysroot)
    [[ -x $sysroot/bin/cargo ]] || die "no cargo in $sysroot/bin; install Rust with https://rustup.rs"
    (cd "$root" && cargo fetch --locked --quiet)

    make_chroot
    mount -t proc proc "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount -t tmpfs tmpfs "$chroot/tmp"
    install_packages

    mkdir -p "$target"
    bind "$sysroot" /mnt/rust ro
    bind "$cargo_home" /mnt/cargo ro
    bind "$root" /mnt/sources/gst-attitude ro
    bind "$target" /mnt/target rw
    if [[ -d $root/../shared ]]; then
        bind "$root/../shared" /mnt/sources/shared ro
    fi
    local cargo=(inside /mnt/sources/gst-attitude CARGO_HOME=/mnt/cargo CARGO_TARGET_DIR=/mnt/target)
    local features=(--workspace --locked --offline --features gst-plugin-attitude/analytics)
    say "lints with feature analytics"
    # Runs cargo-clippy directly: cargo would find rustup's proxy in CARGO_HOME.
    "${cargo[@]}" cargo-clippy --all-targets "${features[@]}" -- -D warnings
    say "tests"
    "${cargo[@]}" G_DEBUG=fatal_warnings GST_TRACERS=leaks \
        cargo test "${features[@]}" "$@" 2> >(filter_known_messages >&2)
}

if [[ ${1:-} == --private ]]; then
    run_tests "${@:2}"
    exit
fi
[[ $EUID == 0 ]] || skip "a chroot requires root; run tests/debian13.sh as root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed; run apt-get install debootstrap"
unshare --mount true 2>/dev/null || skip "root cannot mount here, as in an unprivileged container"
command -v rustc >/dev/null || die "no Rust compiler found in root's PATH; install Rust with https://rustup.rs"
exec unshare --mount "$root/tests/debian13.sh" --private "$@"
