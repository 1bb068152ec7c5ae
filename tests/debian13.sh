#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Passes lints and tests on Debian 13 too, in a chroot: GStreamer 1.26, Debian's own ONNX Runtime, feature `analytics`.
#
#     tests/debian13.sh [ARGUMENT of cargo test...]
#
# Rust, the crates and the sources are those outside. The chroot and what is built in it, some 6 GB, stay in
# ~/.cache/gst-attitude for the next time. Without root or debootstrap it says so and does nothing.
set -euo pipefail

readonly PACKAGES=(
    gcc libc6-dev pkg-config libcairo2-dev libpango1.0-dev
    libgstreamer1.0-dev libgstreamer-plugins-{base,bad}1.0-dev
    gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav gstreamer1.0-opencv gstreamer1.0-tools
    libonnxruntime1.21 fonts-dejavu-core opencv-data
    python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-{base,bad}-1.0
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-{rtsp,nice}
)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gst-attitude
readonly root cache chroot=$cache/debian13 target=$cache/debian13-target

say() { echo "debian13: $*"; }
die() { echo "debian13: $*" >&2; exit 1; }
skip() { say "skipped: $*"; exit; }

# Makes a folder of this machine seen in the chroot.
bind() { # folder, place in the chroot, mount's options
    mkdir -p "$chroot$2"
    mount --bind -o "$3" "$1" "$chroot$2"
}

# Runs a command in the chroot, with nothing of this machine's environment.
inside() { # folder command...
    chroot "$chroot" env -i -C "$1" PATH=/mnt/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LANG=C.UTF-8 "${@:2}"
}

# The chroot is whole where it is there, because it is renamed last.
make_chroot() {
    [[ ! -d $chroot ]] || return 0
    say "making a Debian 13 in $chroot"
    rm -rf "$chroot.new"
    mkdir -p "$cache"
    debootstrap --variant=minbase --include=ca-certificates trixie "$chroot.new" http://deb.debian.org/debian
    mv -T "$chroot.new" "$chroot"
}

install_packages() {
    local installed
    installed=$(inside / dpkg-query -W -f '${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null | grep -cx installed) || true
    if [[ $installed != "${#PACKAGES[@]}" ]]; then
        say "installing Debian packages"
        cp /etc/resolv.conf "$chroot/etc/resolv.conf"
        inside / dpkg --configure -a # Where the last time was cut off.
        inside / apt-get update -q
        inside / env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${PACKAGES[@]}"
        inside / apt-get clean
    fi
}

# Debian's ONNX Runtime registers each of ONNX's operators twice, and says so: 567 lines, an empty one after each.
without_known_complaints() {
    sed --unbuffered '/^Schema error: Trying to register schema/,+1d'
}

# Runs where mounts are private: they end with this process, however it ends.
run_tests() { # arguments of cargo test
    local sysroot cargo_home=${CARGO_HOME:-$HOME/.cargo}
    sysroot=$(rustc --print sysroot)
    [[ -x $sysroot/bin/cargo ]] || die "no cargo beside rustc in $sysroot/bin; install Rust with https://rustup.rs"
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
    say "lints with the feature"
    # Not by way of cargo, which would find the one of rustup in its home.
    "${cargo[@]}" cargo-clippy --all-targets "${features[@]}" -- -D warnings
    say "tests"
    "${cargo[@]}" G_DEBUG=fatal_warnings GST_TRACERS=leaks \
        cargo test "${features[@]}" "$@" 2> >(without_known_complaints >&2)
}

if [[ ${1:-} == --private ]]; then
    run_tests "${@:2}"
    exit
fi
[[ $EUID == 0 ]] || skip "a chroot needs root; as root, run: tests/debian13.sh"
command -v debootstrap >/dev/null || skip "debootstrap is missing: apt-get install debootstrap"
unshare --mount true 2>/dev/null || skip "root may not mount anything here, as in a container without privileges"
command -v rustc >/dev/null || die "no Rust compiler in root's PATH; install Rust with https://rustup.rs"
exec unshare --mount "$root/tests/debian13.sh" --private "$@"
