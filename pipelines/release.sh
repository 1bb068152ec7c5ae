#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Makes a release of the last commit: sets the version, gives the changelog its section, and makes what is published.
#
#     pipelines/release.sh VERSION [--dry-run] [--source-only] [--output FOLDER]
#
#     VERSION          the new version, such as 0.2.0
#     --dry-run        neither commits nor tags: the repository stays as it is
#     --source-only    leaves out what has to be compiled: wheel, Debian packages and documentation site
#     --output FOLDER  folder for the files (default: `output/release-VERSION/` in the repository)
#
# The files: gst-attitude-VERSION.tar.xz, the sources with all crates, which build without a network; the Python wheel; the
# Debian packages, as root with debootstrap; the documentation site; one bill of materials (CycloneDX) for the program and
# one for the plugin; RELEASE-NOTES.md; SHA256SUMS. Everything is made in a clone with times of the last commit, so that
# the same commit gives the same bytes with the same tools: tests/reproducible.sh makes two and compares them.
set -euo pipefail

readonly CYCLONEDX=0.5.9
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

say() { echo "release: $*"; }
die() { echo "release: $*" >&2; exit 1; }
usage() { die "$1; usage: release.sh VERSION [--dry-run] [--source-only] [--output FOLDER]"; }

# Clones the last commit, and commits the version and the changelog's section there.
prepare_sources() {
    local name email
    name=$(git -C "$root" config user.name) || name=gst-attitude
    email=$(git -C "$root" config user.email) || email=gst-attitude@localhost
    git clone --quiet --no-hardlinks "$root" "$sources"
    cd "$sources"
    # That of the workspace, and those that its crates ask of each other.
    sed -i -e "0,/^version = \".*\"/s//version = \"$version\"/" \
        -e "s/\(path = \"[^\"]*\", version = \)\"[^\"]*\"/\1\"$version\"/" Cargo.toml
    # What gst-inspect-1.0 shows outside of a repository.
    printf '\n[package.metadata.gstreamer]\nrelease_date = "%s"\n' "$date" >>src/plugin/Cargo.toml
    sed -i "s/^## \[Unreleased\]\$/&\n\n## [$version] - $date/" CHANGELOG.md
    cargo update --quiet --workspace --offline
    GIT_COMMITTER_DATE=@$SOURCE_DATE_EPOCH git -c user.name="$name" -c user.email="$email" -c commit.gpgsign=false \
        commit --quiet --all --date "@$SOURCE_DATE_EPOCH" --message "Release $version"
}

# Prints the changelog's section of the version, without its heading.
changelog_section() {
    sed -n "/^## \[$version\]/,/^## \[/{/^## \[/!p}" "$sources/CHANGELOG.md"
}

write_notes() {
    {
        echo "# gst-attitude $version"
        changelog_section
        echo "## Files"
        echo
        echo "\`sha256sum --check SHA256SUMS\` checks them. The sources build without a network; README.md says how."
    } >"$files/RELEASE-NOTES.md"
}

# Packs the sources with all crates, in an order and with times, owners and permissions that do not depend on the machine.
write_sources() {
    local name=gst-attitude-$version
    mkdir "$work/$name"
    git -C "$sources" archive HEAD | tar --extract --directory "$work/$name"
    (cd "$work/$name" && cargo vendor --quiet --locked --versioned-dirs vendor)
    cat >>"$work/$name/.cargo/config.toml" <<'TOML'

[source.crates-io]
replace-with = "vendor"

[source.vendor]
directory = "vendor"
TOML
    # Without crates from elsewhere, as on a machine without a network.
    (cd "$work/$name" && CARGO_HOME=$work/no-crates cargo metadata --offline --locked --format-version 1 >/dev/null) \
        || die "the sources cannot be built without a network, see above"
    tar --create --directory "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=u+rwX,go+rX,go-w --format=gnu "$name" | xz --threads=2 -6 >"$files/$name.tar.xz"
    rm -r "${work:?}/$name"
}

# Writes one bill of materials per package that users install.
write_bills() {
    local cyclonedx package folder
    cyclonedx=$("$sources/pipelines/cargo-tool.sh" cargo-cyclonedx "$CYCLONEDX")
    (cd "$sources" && "$cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --target all \
        --no-build-deps --override-filename bill)
    for package in gst-attitude:program gst-plugin-attitude:plugin; do
        folder=${package#*:}
        # Packages of the workspace are identified by their folders.
        sed "s|file://$sources|file:///gst-attitude-$version|g" "$sources/src/$folder/bill.json" \
            >"$files/${package%:*}-$version.cdx.json"
    done
    git -C "$sources" clean --quiet --force -- '*/bill.json'
}

write_packages() {
    if [[ ! -x $sources/pipelines/package.sh ]]; then
        say "Debian packages: skipped, there is no pipelines/package.sh"
    elif [[ $EUID != 0 ]] || ! command -v debootstrap >/dev/null; then
        say "Debian packages: skipped, they need root and debootstrap"
    else
        "$sources/pipelines/package.sh" --output "$files/debian"
    fi
}

write_site() {
    "$sources/pipelines/site.sh" --release --output "$work/gst-attitude-site-$version"
    tar --create --directory "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        --mode=u+rwX,go+rX,go-w --format=gnu "gst-attitude-site-$version" | xz -6 >"$files/gst-attitude-site-$version.tar.xz"
}

version='' dry_run=false source_only=false output=''
while [[ $# -gt 0 ]]; do
    case $1 in
        --dry-run) dry_run=true ;;
        --source-only) source_only=true ;;
        --output) [[ $# -gt 1 ]] || usage "--output requires a folder"; output=$2; shift ;;
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0" | head -n -1; exit ;;
        -*) usage "unknown option '$1'" ;;
        *) [[ -z $version ]] || usage "there are two versions, $version and $1"; version=$1 ;;
    esac
    shift
done
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]] || usage "'$version' is not a version such as 0.2.0"
present=$(sed -n '0,/^version = /s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
[[ $version != "$present" && $(printf '%s\n' "$present" "$version" | sort -V | tail -n 1) == "$version" ]] \
    || die "$version is not newer than $present, the version in Cargo.toml"
git -C "$root" rev-parse --quiet --verify "refs/tags/v$version" >/dev/null && die "the tag v$version exists already"
[[ $(sed -n '/^## \[Unreleased\]/,/^## \[/p' "$root/CHANGELOG.md" | grep -c '^- ') -gt 0 ]] \
    || die "CHANGELOG.md has no changes under [Unreleased]"
$dry_run || [[ -z $(git -C "$root" status --porcelain --untracked-files=no) ]] \
    || die "the repository has changes that are not committed: commit them, or use --dry-run, which ignores them"
output=$(realpath -m "${output:-$root/output/release-$version}")
[[ ! -e $output ]] || die "$output exists already; remove it, or choose another folder with --output"

SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC CARGO_INCREMENTAL=0
date=$(date --date "@$SOURCE_DATE_EPOCH" +%F)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
files=$work/files sources=$work/sources
mkdir "$files"
# Paths of this machine are in no message of a panic, and in no file that is compared.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/release-$version}
crates=${CARGO_HOME:-$HOME/.cargo}/registry/src
export RUSTFLAGS="--remap-path-prefix=$crates=/crates --remap-path-prefix=$sources=/sources --remap-path-prefix=$CARGO_TARGET_DIR=/target"
export CFLAGS="-ffile-prefix-map=$crates=/crates -ffile-prefix-map=$CARGO_TARGET_DIR=/target"

say "version $version of $(git -C "$root" rev-parse --short HEAD), $date"
(prepare_sources)
write_notes
say "sources with crates"
write_sources
say "bills of materials"
write_bills
if ! $source_only; then
    say "Python wheel"
    "$sources/pipelines/wheel.sh" --output "$files"
    say "documentation site"
    write_site
    say "Debian packages"
    write_packages
fi
(cd "$files" && find . -type f -printf '%P\0' | sort --zero-terminated | xargs -0 sha256sum) >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" "$files"
mkdir -p "$(dirname "$output")"
mv "$files" "$output"
if ! $dry_run; then
    git -C "$root" pull --quiet --ff-only "$sources" HEAD
    git -C "$root" tag --annotate "v$version" --message "gst-attitude $version"
    say "committed and tagged as v$version; to publish: git push --follow-tags"
fi
say "files in $output:"
(cd "$output" && find . -type f -printf '%9s  %P\n' | sort -k 2)
