#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Installs what `faceattitude` needs on Debian 12 or newer with Rust, gcc and Python 3.11 or newer: Debian packages, ONNX
# Runtime, the plugin and the program. Steps that are already done are skipped.
#
#     pipelines/setup.sh [--gpu] [--no-build | --no-program] [--tests]
#
#     --gpu         installs ONNX Runtime with the CUDA and TensorRT execution providers instead (x86_64 only)
#     --no-build    does not build and install the plugin and the program
#     --no-program  builds and installs the plugin without the program gst-attitude
#     --tests       also installs what only the tests need
#
# The first build takes a few minutes on two cores.
set -euo pipefail

readonly VERSION=1.31.1
readonly PACKAGES=(
    pkg-config libgstreamer1.0-dev libgstreamer-plugins-{base,bad}1.0-dev libcairo2-dev libpango1.0-dev
    gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav gstreamer1.0-nice gstreamer1.0-x
    gstreamer1.0-tools gstreamer1.0-plugins-base-apps fonts-dejavu-core
)
readonly TEST_PACKAGES=(
    gstreamer1.0-opencv opencv-data python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-{base,bad}-1.0
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp chromium python3-venv ffmpeg
)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
readonly root data

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

# Prints the SHA-256 of the wheel of a package: the library is native code that runs in the user's process.
wheel_hash() { # package
    case $1-$(uname -m) in
        onnxruntime-x86_64)     echo 5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f ;;
        onnxruntime-aarch64)    echo da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3 ;;
        onnxruntime-gpu-x86_64) echo e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6 ;;
        *) die "no $1 wheel is known for $(uname -m); install ONNX Runtime manually and set ORT_DYLIB_PATH" ;;
    esac
}

check_rust() {
    local needed found
    needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    found=$(rustc --version 2>/dev/null | cut -d' ' -f2) \
        || die "no Rust compiler found; install Rust $needed or newer with https://rustup.rs"
    printf '%s\n' "$needed" "$found" | sort -V -C \
        || die "Rust $found is too old; Rust $needed or newer is required: rustup update stable"
}

install_packages() { # packages
    local package missing=() sudo=()
    for package; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    if [[ ${#missing[@]} == 0 ]]; then
        say "Debian packages: already installed"
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

# Extracts the libraries of ONNX Runtime from a wheel. The folder is renamed last, so that an existing one is complete.
install_onnxruntime() { # package
    local target=$data/gst-attitude/$1 hash work
    if [[ -e $target/libonnxruntime.so.$VERSION ]]; then
        say "$1 $VERSION: already installed in $target"
        return
    fi
    hash=$(wheel_hash "$1")
    say "$1 $VERSION: installing into $target"
    mkdir -p "$data/gst-attitude"
    work=$(mktemp -d "$data/gst-attitude/.$1.XXXXXX")
    # shellcheck disable=SC2064 # expands now: the variable is local
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

# Installs Playwright, which drives a browser. The list is copied last, so that an environment with it is complete.
install_playwright() {
    local target=$data/gst-attitude/playwright list=$root/tests/program/report/requirements.txt
    if cmp -s "$list" "$target/requirements.txt"; then
        say "Playwright: already installed in $target"
        return
    fi
    say "Playwright: installing into $target"
    rm -rf "$target"
    python3 -m venv "$target"
    "$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$list"
    cp "$list" "$target"
}

# Copies a file into a folder atomically; sets `installed` unless it is already there.
install_file() { # file, folder, mode, description
    local target=$2/${1##*/}
    if cmp -s "$1" "$target"; then
        say "$4: already installed in $2"
    else
        mkdir -p "$2"
        install -m "$3" "$1" "$target.new"
        mv "$target.new" "$target"
        say "$4: installed into $2"
        installed=true
    fi
}

# Builds the plugin and the program in two calls: cargo activates other features of the dependencies for another
# selection of packages, and after this, demo.sh, which needs only the plugin, finds it built.
build_and_install() { # true to skip the program
    local plugins=$data/gstreamer-1.0/plugins programs=${XDG_BIN_HOME:-$HOME/.local/bin} built
    built=$(target_folder)/release
    [[ -e $built/libgstattitude.so ]] || say "the first build takes a few minutes on two cores"
    build plugin --package gst-plugin-attitude --lib
    install_file "$built/libgstattitude.so" "$plugins" 644 plugin
    gst-inspect-1.0 faceattitude >/dev/null \
        || die "GStreamer does not find faceattitude; if GST_PLUGIN_SYSTEM_PATH is set, try: GST_PLUGIN_PATH='$plugins' gst-inspect-1.0 faceattitude"
    $1 && return
    build program --package gst-attitude --bins
    install_file "$built/gst-attitude" "$programs" 755 "program gst-attitude"
    [[ :$PATH: == *:$programs:* ]] || say "$programs is not in PATH: add it, or run $programs/gst-attitude"
}

build() { # description, cargo's selection
    local features=()
    if pkg-config --exists gstreamer-analytics-1.0; then
        features=(--features gst-plugin-attitude/analytics)
    fi
    say "$1: building${features[*]:+ with ${features[*]}}"
    (cd "$root" && cargo build --release --locked "${@:2}" "${features[@]}")
}

# Prints the folder of cargo's results.
target_folder() {
    (cd "$root" && cargo metadata --locked --no-deps --format-version 1) \
        | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}

gpu=false build=true no_program=false tests=false
for argument in "$@"; do
    case $argument in
        --gpu) gpu=true ;;
        --no-build) build=false ;;
        --no-program) no_program=true ;;
        --tests) tests=true ;;
        -h | --help) sed -n '/^# Installs/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
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
    say "GPU: CUDA 13, cuDNN 9 and a driver that supports them must be installed separately, from NVIDIA"
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
    installed=false
    build_and_install "$no_program"
    if $installed && ! $no_program; then
        say "done; to try it: pipelines/demo.sh, or gst-attitude serve for a page in the browser"
    fi
fi
