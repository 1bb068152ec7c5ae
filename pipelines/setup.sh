#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Makes a Debian 12 or newer with Rust, gcc and Python 3 able to build and run `faceattitude`:
# Debian's packages, ONNX Runtime's library, and the plugin itself. Does only what is still to do.
#
#     pipelines/setup.sh [--gpu] [--no-build | --no-program] [--tests]
#
#     --gpu         takes ONNX Runtime with its CUDA and TensorRT providers instead (x86_64 only)
#     --no-build    builds and installs nothing of this repository
#     --no-program  builds and installs the plugin without the program gst-attitude
#     --tests       installs what only the tests need, too
set -euo pipefail

readonly VERSION=1.31.1
readonly PACKAGES=(
    pkg-config libgstreamer1.0-dev libgstreamer-plugins-{base,bad}1.0-dev libcairo2-dev libpango1.0-dev
    gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav gstreamer1.0-nice gstreamer1.0-x
    gstreamer1.0-tools gstreamer1.0-plugins-base-apps fonts-dejavu-core
)
readonly TEST_PACKAGES=(
    gstreamer1.0-opencv opencv-data python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-{base,bad}-1.0
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp chromium python3-venv
)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
readonly root data

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

# SHA-256 of a wheel of this version: the library is native code that runs in the user's process.
wheel_hash() { # package
    case $1-$(uname -m) in
        onnxruntime-x86_64)     echo 5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f ;;
        onnxruntime-aarch64)    echo da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3 ;;
        onnxruntime-gpu-x86_64) echo e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6 ;;
        *) die "no $1 for $(uname -m) is known here; install ONNX Runtime yourself and set ORT_DYLIB_PATH" ;;
    esac
}

check_rust() {
    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2) \
        || die "no Rust compiler; install Rust $needed or newer with https://rustup.rs"
    printf '%s\n' "$needed" "$found" | sort -V -C \
        || die "Rust $found is too old, $needed or newer is needed: rustup update stable"
}

install_packages() { # packages
    local package missing=() sudo=()
    for package; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    if [[ ${#missing[@]} == 0 ]]; then
        say "Debian packages: all there"
        return
    fi
    if [[ $EUID != 0 ]]; then
        sudo=(sudo)
        command -v sudo >/dev/null \
            || die "Debian packages are missing; as root, run: apt-get update && apt-get install ${missing[*]}"
    fi
    say "Debian packages: installing ${missing[*]}"
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"
}

# Takes ONNX Runtime's libraries out of a wheel; a folder that is there is whole, because it is renamed last.
install_onnxruntime() { # package
    local target=$data/gst-attitude/$1 hash work
    if [[ -e $target/libonnxruntime.so.$VERSION ]]; then
        say "$1 $VERSION: already in $target"
        return
    fi
    hash=$(wheel_hash "$1")
    say "$1 $VERSION: fetching into $target"
    mkdir -p "$data/gst-attitude"
    work=$(mktemp -d "$data/gst-attitude/.$1.XXXXXX")
    # shellcheck disable=SC2064 # the folder's name is needed now
    trap "rm -rf '$work'" EXIT
    python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 \
        --platform "manylinux_2_28_$(uname -m)" --dest "$work" \
        --require-hashes --requirement <(echo "$1==$VERSION --hash=sha256:$hash")
    python3 -m zipfile -e "$work"/*.whl "$work/wheel"
    mkdir "$work/lib"
    mv "$work"/wheel/onnxruntime/capi/libonnxruntime*.so* "$work/lib"
    ln -s "libonnxruntime.so.$VERSION" "$work/lib/libonnxruntime.so"
    rm -rf "$target"
    mv -T "$work/lib" "$target"
    rm -rf "$work"
}

# What drives a browser; an environment that has its list is whole, because that is copied last.
install_playwright() {
    local target=$data/gst-attitude/playwright list=$root/tests/program/report/requirements.txt
    if cmp -s "$list" "$target/requirements.txt"; then
        say "Playwright: already in $target"
        return
    fi
    say "Playwright: installing into $target"
    rm -rf "$target"
    python3 -m venv "$target"
    "$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$list"
    cp "$list" "$target"
}

# Copies a file into a folder, where nobody ever sees half of it.
install_file() { # file, folder, mode, what it is
    local target=$2/${1##*/}
    if cmp -s "$1" "$target"; then
        say "$4: already in $2"
    else
        mkdir -p "$2"
        install -m "$3" "$1" "$target.new"
        mv "$target.new" "$target"
        say "$4: installed into $2"
    fi
}

build_and_install() { # true to leave out the program
    local plugins=$data/gstreamer-1.0/plugins programs=${XDG_BIN_HOME:-$HOME/.local/bin} built
    local packages=(--package gst-plugin-attitude) features=() what=plugin
    if ! $1; then
        packages+=(--package gst-attitude)
        what="plugin and program"
    fi
    if pkg-config --exists gstreamer-analytics-1.0; then
        features=(--features gst-plugin-attitude/analytics)
    fi
    say "$what: building${features[*]:+ with ${features[*]}}"
    (cd "$root" && cargo build --release --locked "${packages[@]}" --lib --bins "${features[@]}")
    built=$(cd "$root" && cargo metadata --locked --no-deps --format-version 1 \
        | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/release
    install_file "$built/libgstattitude.so" "$plugins" 644 plugin
    if ! $1; then
        install_file "$built/gst-attitude" "$programs" 755 "program gst-attitude"
        [[ :$PATH: == *:$programs:* ]] || say "$programs is not in PATH: call $programs/gst-attitude, or add it"
    fi
    gst-inspect-1.0 faceattitude >/dev/null \
        || die "GStreamer does not find faceattitude; is GST_PLUGIN_SYSTEM_PATH set? Try: GST_PLUGIN_PATH='$plugins' gst-inspect-1.0 faceattitude"
    $1 || say "ready, try in a browser: gst-attitude serve"
    say "try in a window: gst-launch-1.0 v4l2src ! decodebin ! videoconvert ! faceattitude overlay=true ! videoconvert ! autovideosink"
}

gpu=false build=true no_program=false tests=false
for argument in "$@"; do
    case $argument in
        --gpu) gpu=true ;;
        --no-build) build=false ;;
        --no-program) no_program=true ;;
        --tests) tests=true ;;
        *) die "unknown argument '$argument'; usage: setup.sh [--gpu] [--no-build | --no-program] [--tests]" ;;
    esac
done

check_rust
packages=("${PACKAGES[@]}")
if $tests; then packages+=("${TEST_PACKAGES[@]}"); fi
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
install_packages "${packages[@]}"
if $gpu; then
    install_onnxruntime onnxruntime-gpu
    say "GPU: CUDA 13 and cuDNN 9 are yours to install, from NVIDIA, with a driver that supports them"
else
    install_onnxruntime onnxruntime
fi
if $tests; then
    install_playwright
fi
if [[ ${ORT_DYLIB_PATH:-} ]]; then
    say "ORT_DYLIB_PATH is set and takes precedence: $ORT_DYLIB_PATH"
fi
if $build; then
    build_and_install "$no_program"
fi
