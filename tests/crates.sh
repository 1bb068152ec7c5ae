#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Packages the crates with `cargo package`, unpacks them in an empty folder, and installs the program with `cargo install`
# and the plugin with `cargo cinstall` from there, without the network.
#
#     tests/crates.sh
#
# Works in the chroot of Debian 13 in which pipelines/package.sh builds, with Debian's cargo-c. Compiles without
# optimization, which takes about 10 minutes on two cores, so it is not part of tests/run.sh.
set -euo pipefail

readonly CRATES=(attitude attitude-inference attitude-publish gst-plugin-attitude gst-attitude)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root release=13

say() { echo "crates: $*"; }
die() { echo "crates: $*" >&2; exit 1; }

# shellcheck source=pipelines/chroot.sh
source "$root/pipelines/chroot.sh"
readonly chroot=$chroot_cache/debian13-crates

# Unpacks the crates into a folder, in which they take the place of those of crates.io.
unpack_crates() { # folder
    local crate version work
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    work=$(mktemp -d)
    (cd "$root" && cargo package --quiet --locked --no-verify --allow-dirty --target-dir "$work" "${CRATES[@]/#/--package=}")
    mkdir -p "$1/.cargo"
    echo "[patch.crates-io]" >"$1/.cargo/config.toml"
    for crate in "${CRATES[@]}"; do
        tar -xzf "$work/package/$crate-$version.crate" -C "$1"
        mv "$1/$crate-$version" "$1/$crate"
        echo "$crate = { path = '/tmp/crates/$crate' }" >>"$1/.cargo/config.toml"
        say "$crate: $(stat -c %s "$work/package/$crate-$version.crate") bytes"
    done
    rm -rf "$work"
}

# Installs from the crates; expects private mounts, which are removed when this process ends.
install_crates() {
    local clip=/tmp/clip.mkv lines
    make_chroot
    install_in_chroot gcc libc6-dev pkgconf libcairo2-dev libpango1.0-dev libgstreamer1.0-dev libgstreamer-plugins-{base,bad}1.0-dev cargo-c \
        gstreamer1.0-{plugins-base,plugins-good,tools} libonnxruntime1.21
    share_rust "$chroot-target"
    umount "$chroot/mnt/sources/gst-attitude"
    unpack_crates "$chroot/tmp/crates"
    "${cargo_in_chroot[@]}" env -C /tmp/crates/gst-attitude cargo install --debug --path . --root /tmp/installed
    "${cargo_in_chroot[@]}" env -C /tmp/crates/gst-plugin-attitude \
        cargo-cinstall cinstall --profile dev --prefix /usr --libdir /usr/lib/x86_64-linux-gnu --destdir /tmp/installed
    inside /tmp gst-launch-1.0 -q videotestsrc num-buffers=30 ! matroskamux ! filesink location="$clip"
    # The networks are in the crates, or nothing could be analyzed.
    inside /tmp /tmp/installed/bin/gst-attitude analyze "$clip" -o /tmp/results
    inside /tmp GST_PLUGIN_PATH=/tmp/installed/usr/lib/x86_64-linux-gnu/gstreamer-1.0 gst-launch-1.0 -q filesrc \
        location="$clip" ! matroskademux ! videoconvert ! faceattitude ! attitudeexport ! filesink location=/tmp/records
    lines=$(wc -l <"$chroot/tmp/records")
    [[ $lines -gt 0 ]] || die "the plugin of cargo cinstall writes no records"
    say "installed by cargo install and cargo cinstall; the plugin wrote $lines records"
}

if [[ ${1:-} == --private ]]; then
    install_crates
    exit
fi
if obstacle=$(chroot_obstacle); then
    say "skipped: $obstacle"
    exit
fi
exec unshare --mount "$root/tests/crates.sh" --private
