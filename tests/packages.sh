#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Installs, uses, upgrades and purges the Debian packages in clean chroots.
#
#     tests/packages.sh [--packages FOLDER] [RELEASE...]
#
#     RELEASE            12 or 13; default: both
#     --packages FOLDER  what pipelines/package.sh has built (default: `output/packages/` in the repository)
#
# Not part of tests/run.sh, because building the packages takes longer than 3 minutes. Prints what a user types from
# nothing to the first result, with the seconds. Compares the records that the packages write with those of the
# development build, byte for byte, on a clip of average faces. Requires root, debootstrap, Rust and the network. The
# development build is the host's, so the host is Debian 12.
set -euo pipefail

# Files of the chroot that every installation changes.
readonly CHANGING='^/(dev|proc|sys|tmp|mnt|home|run|var/(cache|log|lib/(apt|dpkg|systemd|ucf)))(/|$)|^/etc/[^/]*-$'
# What a lower version is called.
readonly OLD_VERSION=0.0.1-1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

say() { echo "packages: $*"; }
die() { echo "packages: $*" >&2; exit 1; }

# shellcheck source=pipelines/chroot.sh
source "$root/pipelines/chroot.sh"

# Runs a command line in the chroot as root or as a plain user, and prints it.
run_as() { # root or viewer, command line
    local home=/root variables=()
    [[ $1 == root ]] || home=/home/$1
    # The index of Python packages and its certificate are those of the host.
    mapfile -t variables < <(env | grep -E '^PIP_(INDEX_URL|CERT|PROXY)=')
    say "$1: $2"
    chroot --userspec="$1" "$chroot" env -i -C "$home" PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "${variables[@]}" sh -c "$2" </dev/null 2> >(filter_known_messages >&2)
}

# Builds the program and the plugin of the development build, and makes the clip.
prepare() { # folder
    (
        cd "$root"
        cargo run --locked --quiet --package gst-attitude-pipelines --example average_faces -- "$1/clip.mp4"
        built=$(pipelines/build.sh --debug)
        mkdir "$1/plugin"
        cp "$built/libgstattitude.so" "$1/plugin"
        cp "$built/gst-attitude" "$1"
    )
}

# Prints the files of the chroot, and its users.
list_files() {
    inside / find / -xdev | grep -Ev "$CHANGING" | sort
    cut -d: -f1 "$chroot/etc/passwd" "$chroot/etc/group"
}

expect_nothing_left() {
    local left
    left=$(list_files | grep attitude) || return 0
    die "left behind by purge: $left"
}

# Copies the packages into a folder, with a lower version.
make_old_packages() { # packages, folder
    local package work
    work=$(mktemp -d)
    for package in "$1"/*.deb; do
        dpkg-deb --raw-extract "$package" "$work/package"
        # The packages depend on each other in the same version.
        sed -i -E "s/^(Version: ).*/\1$OLD_VERSION/; s/\(= [^)]*deb1[23]\)/(= $OLD_VERSION)/" "$work/package/DEBIAN/control"
        dpkg-deb --root-owner-group -Znone --build "$work/package" "$2/$(basename "$package")" >/dev/null
        rm -rf "$work/package"
    done
    rm -rf "$work"
}

installed_version() {
    # shellcheck disable=SC2016 # dpkg-query expands it
    inside / dpkg-query -W -f '${Version}' gst-attitude
}

expect_version() { # version
    [[ $(installed_version) == "$1" ]] || die "version is $(installed_version), expected $1"
}

# Types what a user types, and checks what the user then has.
use_packages() {
    local lines=("root apt-get install -y /mnt/packages/*.deb") line started
    [[ $release == 13 ]] || lines+=("viewer gst-attitude-onnxruntime --yes")
    lines+=("viewer gst-attitude analyze /mnt/test/clip.mp4 -o results")
    started=$SECONDS
    for line in "${lines[@]}"; do
        run_as "${line%% *}" "${line#* }" >"$chroot/tmp/log" 2>&1 || { cat "$chroot/tmp/log"; die "failed: $line"; }
        if [[ ${line%% *} == viewer ]]; then cat "$chroot/tmp/log"; fi
    done
    say "Debian $release: from nothing to the first result: ${#lines[@]} lines, $((SECONDS - started)) s"

    run_as viewer 'gst-inspect-1.0 faceattitude' | grep execution-provider >/dev/null || die "the plugin has no faceattitude"
    run_as root 'systemd-analyze verify gst-attitude-watch.service'
    run_as root 'getent passwd gst-attitude'
    local file
    for file in bash-completion/completions/gst-attitude zsh/vendor-completions/_gst-attitude \
        fish/vendor_completions.d/gst-attitude.fish man/man1/gst-attitude-{analyze,onnxruntime}.1.gz \
        doc/gst-attitude-doc/pages/src/plugin/README.md doc/gst-attitude/copyright; do
        [[ -s $chroot/usr/share/$file ]] || die "/usr/share/$file is missing or empty"
    done
}

# Compares what the packages write with what the development build writes in the same chroot.
compare_records() {
    local name
    for name in packages development; do
        local program=gst-attitude folder=
        [[ $name == packages ]] || program=/mnt/test/gst-attitude folder=/mnt/test/plugin
        run_as viewer "$program analyze /mnt/test/clip.mp4 -o $name >/dev/null
            export GST_PLUGIN_PATH=$folder GST_REGISTRY=/home/viewer/$name.registry
            gst-inspect-1.0 attitude | sed -n 's/^ *Filename *//p'
            gst-launch-1.0 -q filesrc location=/mnt/test/clip.mp4 ! decodebin ! videoconvert ! faceattitude \
                ! attitudeexport ! filesink location=$name.jsonl"
    done
    local home=$chroot/home/viewer
    for name in records.jsonl faces.csv faces.parquet; do
        [[ -s $home/packages/clip/$name ]] || die "analyze wrote no $name"
        cmp "$home/packages/clip/$name" "$home/development/clip/$name" || die "$name differs from the development build's"
    done
    [[ -s $home/packages.jsonl ]] || die "the plugin wrote no records"
    cmp "$home/packages.jsonl" "$home/development.jsonl" || die "the plugin's records differ from the development build's"
    say "the records are those of the development build: $(wc -l <"$home/packages.jsonl") samples"
}

# Tests the packages of a release; expects private mounts, which are removed when this process ends.
test_packages() { # packages, folder of the clip and the development build
    local version
    chroot=$chroot_cache/debian$release-packages-test
    rm -rf "$chroot"
    make_chroot
    bind "$1" /mnt/packages ro
    bind "$2" /mnt/test ro
    # For downloads through a proxy of the host's network.
    cp /etc/ssl/certs/ca-certificates.crt "$chroot/etc/ssl/certs/"
    run_as root 'apt-get update -q && useradd --create-home viewer' >/dev/null

    use_packages
    compare_records
    version=$(installed_version)
    run_as root "apt-get purge -qy 'gst*-attitude*'" >/dev/null
    expect_nothing_left
    list_files >"$chroot/tmp/before"

    mkdir "$chroot/tmp/old"
    make_old_packages "$1" "$chroot/tmp/old"
    run_as root 'apt-get install -qy /tmp/old/*.deb' >/dev/null
    expect_version "$OLD_VERSION"
    # What an administrator and the service write.
    run_as root 'install -m 640 -g gst-attitude /usr/share/doc/gst-attitude/examples/watch.toml /etc/gst-attitude/
        install -d -o gst-attitude /var/lib/gst-attitude && touch /var/lib/gst-attitude/spool'
    run_as root 'apt-get install -qy /mnt/packages/*.deb' >/dev/null
    expect_version "$version"
    [[ -s $chroot/etc/gst-attitude/watch.toml ]] || die "the upgrade removed the configuration"
    if [[ $release == 12 ]]; then
        run_as root 'gst-attitude-onnxruntime --yes --system'
        mv "$chroot/home/viewer/.local/share/gst-attitude" "$chroot/home/viewer/unused"
        run_as viewer 'gst-attitude models --help >/dev/null && gst-attitude analyze /mnt/test/clip.mp4 -o again'
        cmp "$chroot"/home/viewer/{again,packages}/clip/records.jsonl || die "ONNX Runtime for all users gives other records"
    fi
    run_as root "apt-get purge -qy 'gst*-attitude*'" >/dev/null
    expect_nothing_left
    list_files >"$chroot/tmp/after"
    diff "$chroot/tmp/before" "$chroot/tmp/after" || die "install, upgrade and purge leave files behind"
    say "Debian $release: upgraded from $OLD_VERSION to $version and purged; nothing is left behind"
    rm -rf "$chroot/home/viewer"
}

if [[ ${1:-} == --private ]]; then
    release=$2
    test_packages "$3" "$4"
    exit
fi
packages=$root/output/packages releases=()
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) sed -n '/^# Installs/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
        --packages) [[ $# -gt 1 ]] || die "--packages requires a folder"; packages=$2; shift ;;
        --packages=*) packages=${1#*=} ;;
        12 | 13) releases+=("$1") ;;
        *) die "unknown argument '$1'; see packages.sh --help" ;;
    esac
    shift
done
[[ ${#releases[@]} -gt 0 ]] || releases=(12 13)
if obstacle=$(chroot_obstacle); then
    say "skipped: $obstacle"
    exit
fi
for release in "${releases[@]}"; do
    compgen -G "$packages/debian$release/*.deb" >/dev/null \
        || die "no packages in $packages/debian$release; run pipelines/package.sh $release"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
prepare "$work"
for release in "${releases[@]}"; do
    unshare --mount "$root/tests/packages.sh" --private "$release" "$(realpath "$packages")/debian$release" "$work"
done
say "all passed"
