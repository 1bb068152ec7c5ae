#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Installs the Python package into empty environments, and tests it there.
#
#     tests/wheel.sh [--debug] [--debian13] [PYTHON...]
#
#     --debug     packs the debug build, as pipelines/wheel.sh does
#     --debian13  also tests it in a new Debian 13, at first without GStreamer; needs root and debootstrap
#     PYTHON      interpreters (default: each of Python 3.11 to 3.14 that there is)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root VERSIONS=(3.11 3.12 3.13 3.14) EXTRAS=pandas,polars

say() { echo "wheel: $*"; }
die() { echo "wheel: $*" >&2; exit 1; }

# shellcheck source=pipelines/chroot.sh
source "$root/pipelines/chroot.sh"

# Prints the interpreters of this machine: in PATH, where pyenv has one for each version that is not installed, or pyenv's.
find_pythons() {
    local version python
    for version in "${VERSIONS[@]}"; do
        for python in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version"*/bin/python"$version"; do
            if "$python" -c "import ensurepip" 2>/dev/null; then
                echo "$python"
                break
            fi
        done
    done
}

# Makes a clip with three average faces for two seconds each, in two containers; a cut Matroska file can be read. The
# fourth picture ends the third one's time.
make_clip() { # folder
    local faces=(neutral positive negative negative) number
    for number in 0 1 2 3; do cp "$root/tests/fixtures/${faces[number]}.png" "$1/$number.png"; done
    gst-launch-1.0 --quiet multifilesrc location="$1/%d.png" stop-index=3 caps=image/png,framerate=1/2 \
        ! pngdec ! videoconvert ! videoscale ! video/x-raw,width=240,height=240 \
        ! videobox left=-200 right=-200 top=-60 bottom=-60 ! videorate ! video/x-raw,format=I420,framerate=15/1 \
        ! x264enc key-int-max=15 ! h264parse ! tee name=t \
        t. ! queue ! mp4mux ! filesink location="$1/interview.mp4" \
        t. ! queue ! matroskamux ! filesink location="$1/interview.mkv"
    rm "$1"/?.png
}

# Tests the wheel in an environment of its own.
test_with() { # python
    local environment=$work/environment started
    say "Python $("$1" --version | cut -d' ' -f2)"
    rm -rf "$environment" "$work/run"
    cp -r "$work/clip" "$work/run"
    started=$(date +%s%N)
    "$1" -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "$wheel"
    (cd "$work/run" && "$environment/bin/gst-attitude" analyze interview.mp4 -o first)
    say "seconds from an empty environment to the first result: $((($(date +%s%N) - started) / 1000000000))"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "${wheel}[$EXTRAS]"
    (cd "$work/run" && SOURCES=$root/src/python BUILT_PROGRAM=$built "$environment/bin/python" "$root/tests/python/test_wheel.py")
}

# Tests the wheel in a new Debian 13; expects private mounts, which are removed when this process ends.
test_in_debian13() { # folder with the clip, wheel
    local release=13 chroot=$1/debian13 pip_variables=() line
    say "creating a Debian 13 with Python only"
    make_chroot
    install_in_chroot python3-venv
    # The index of Python packages and its certificate are those of the host.
    cp /etc/ssl/certs/ca-certificates.crt "$chroot/etc/ssl/certs/"
    mapfile -t pip_variables < <(env | grep -E '^PIP_(INDEX_URL|CERT|PROXY)=')
    cp -r "$1/clip" "$chroot/tmp/run"
    cp "$2" "$chroot/tmp/"
    bind "$root" /mnt/sources ro
    inside / python3 -m venv /tmp/environment
    inside / "${pip_variables[@]}" /tmp/environment/bin/pip install --quiet "/tmp/${2##*/}[$EXTRAS]"
    line=$(inside / /tmp/environment/bin/gst-attitude --version 2>&1) && die "it runs without GStreamer: $line"
    say "without GStreamer: $line"
    line=$(sed -n 's/.*sudo \(apt-get install .*\)/\1/p' <<<"$line")
    [[ $line ]] || die "the message has no command that installs GStreamer"
    inside / apt-get update --quiet=2
    # shellcheck disable=SC2086 # a command
    inside / DEBIAN_FRONTEND=noninteractive ${line/install/install --yes --quiet=2} >/dev/null
    inside /tmp/run SOURCES=/mnt/sources/src/python /tmp/environment/bin/python /mnt/sources/tests/python/test_wheel.py
}

if [[ ${1:-} == --private ]]; then
    test_in_debian13 "${@:2}"
    exit
fi
profile=() debian13=false pythons=()
for argument in "$@"; do
    case $argument in
        --debug) profile=(--debug) ;;
        --debian13) debian13=true ;;
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | head -n -1; exit ;;
        -*) die "unknown option '$argument'; usage: tests/wheel.sh [--debug] [--debian13] [PYTHON...]" ;;
        *) pythons+=("$argument") ;;
    esac
done
if $debian13; then
    ! obstacle=$(chroot_obstacle) || die "--debian13: $obstacle"
fi
[[ ${pythons[*]} ]] || mapfile -t pythons < <(find_pythons)
[[ ${pythons[*]} ]] || die "no Python 3.11 or newer with venv found"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$root/pipelines/wheel.sh" "${profile[@]}" --output "$work"
wheel=$(echo "$work"/*.whl)
built=$("$root/pipelines/build.sh" "${profile[@]}")/gst-attitude
mkdir "$work/clip"
make_clip "$work/clip"
for python in "${pythons[@]}"; do test_with "$python"; done
if $debian13; then
    unshare --mount "$root/tests/wheel.sh" --private "$work" "$wheel"
fi
