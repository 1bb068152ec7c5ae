#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the Debian packages gstreamer1.0-attitude, gst-attitude and gst-attitude-doc.
#
#     pipelines/package.sh [--output FOLDER] [RELEASE...]
#
#     RELEASE          12 or 13; default: both
#     --output FOLDER  folder for the packages, one folder per release (default: `output/packages/` in the repository)
#
# Each release is built in a chroot of its own, without the network after the crates are fetched, and checked by lintian.
# Requires root, debootstrap and Rust. The chroots and the builds, about 3 GB per release, are kept in
# ~/.cache/gst-attitude. Who publishes the packages sets DEBFULLNAME and DEBEMAIL, the maintainer. See PACKAGES.md.
set -euo pipefail

readonly BUILD_PACKAGES=(
    appstream build-essential debhelper libcairo2-dev libgstreamer-plugins-{bad,base}1.0-dev libgstreamer1.0-dev
    libpango1.0-dev lintian pkgconf python3
)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

say() { echo "package: $*"; }
die() { echo "package: $*" >&2; exit 1; }

# shellcheck source=pipelines/chroot.sh
source "$root/pipelines/chroot.sh"

# The project has no address of its own; lintian reports one that cannot receive mail.
readonly maintainer="${DEBFULLNAME:-gst-attitude maintainers} <${DEBEMAIL:-gst-attitude@localhost}>"
suppressed=""
[[ ${DEBEMAIL:-} ]] || suppressed="--suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog"
readonly suppressed

# Prints the version of the packages. One for a newer release is higher, so that an upgrade of Debian replaces it.
package_version() {
    sed -n 's/^version = "\(.*\)"/\1-1~deb'"$release"'/p' "$root/Cargo.toml"
}

# Copies the tracked files and the packaging into a folder, with times that do not depend on the checkout.
copy_sources() { # folder
    local epoch
    epoch=$(git -C "$root" log -1 --format=%ct)
    mkdir -p "$1"
    (cd "$root" && git ls-files -z | tar --create --null --files-from=-) | tar --extract --directory="$1"
    mv "$1/pipelines/debian" "$1/debian"
    sed -i "s/^Maintainer: .*/Maintainer: $maintainer/" "$1/debian/control"
    # Is part of the plugin's description.
    find "$1" -name Cargo.toml -exec touch --date="@$epoch" {} +
    cat >"$1/debian/changelog" <<END
gst-attitude ($(package_version)) stable; urgency=medium

  * Packages of the project; CHANGELOG.md has the changes.

 -- $maintainer  $(date --utc --rfc-email --date="@$epoch")
END
}

# Builds the packages of a release; expects private mounts, which are removed when this process ends.
build_packages() { # folder for the packages
    chroot=$chroot_cache/debian$release-packages
    make_chroot
    install_in_chroot "${BUILD_PACKAGES[@]}"
    share_rust "$chroot-target"
    copy_sources "$chroot/tmp/build/gst-attitude"
    say "building for Debian $release"
    "${cargo_in_chroot[@]}" env -C /tmp/build/gst-attitude dpkg-buildpackage --build=binary --unsigned-changes
    say "lintian"
    inside /tmp/build sh -c "lintian --allow-root --info --fail-on error,warning $suppressed *.changes"
    mkdir -p "$1"
    rm -f "$1"/*.deb
    cp "$chroot"/tmp/build/*.deb "$1"
    ls -l "$1"
}

if [[ ${1:-} == --private ]]; then
    release=$2
    build_packages "$3"
    exit
fi
output=$root/output/packages releases=()
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) sed -n '/^# Builds/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
        --output) [[ $# -gt 1 ]] || die "--output requires a folder"; output=$2; shift ;;
        --output=*) output=${1#*=} ;;
        12 | 13) releases+=("$1") ;;
        *) die "unknown argument '$1'; see package.sh --help" ;;
    esac
    shift
done
[[ ${#releases[@]} -gt 0 ]] || releases=(12 13)
if obstacle=$(chroot_obstacle); then die "$obstacle"; fi
for release in "${releases[@]}"; do
    unshare --mount "$root/pipelines/package.sh" --private "$release" "$(realpath -m "$output")/debian$release"
done
