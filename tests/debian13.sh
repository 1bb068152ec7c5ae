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
readonly root release=13

say() { echo "debian13: $*"; }
die() { echo "debian13: $*" >&2; exit 1; }

# shellcheck source=pipelines/chroot.sh
source "$root/pipelines/chroot.sh"
readonly chroot=$chroot_cache/debian13 target=$chroot_cache/debian13-target

# Runs the lints and tests; expects private mounts, which are removed when this process ends.
run_tests() { # arguments of cargo test
    local features=(--workspace --locked --features gst-plugin-attitude/analytics)
    make_chroot
    install_in_chroot "${PACKAGES[@]}"
    share_rust "$target"
    if [[ -d $root/../shared ]]; then
        bind "$root/../shared" /mnt/sources/shared ro
    fi
    say "lints with feature analytics"
    # Runs cargo-clippy directly: cargo would find rustup's proxy in CARGO_HOME.
    "${cargo_in_chroot[@]}" cargo-clippy --all-targets "${features[@]}" -- -D warnings
    say "tests"
    "${cargo_in_chroot[@]}" G_DEBUG=fatal_warnings GST_TRACERS=leaks \
        cargo test "${features[@]}" "$@" 2> >(filter_known_messages >&2)
}

if [[ ${1:-} == --private ]]; then
    run_tests "${@:2}"
    exit
fi
if obstacle=$(chroot_obstacle); then
    say "skipped: $obstacle"
    exit
fi
exec unshare --mount "$root/tests/debian13.sh" --private "$@"
