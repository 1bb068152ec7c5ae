#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Installs what `faceattitude` needs on Debian 12 or newer with Rust, gcc and Python 3.11 or newer: Debian packages, ONNX
# Runtime, the plugin and the program. Steps that are already done are skipped.
#
#     pipelines/setup.sh [--gpu[=cuda|openvino|webgpu]] [--no-build | --no-program] [--tests]
#
#     --gpu         also installs an ONNX Runtime that uses the GPU (x86_64 only): with CUDA for NVIDIA's, OpenVINO for
#                   Intel's, WebGPU for all others, or the named one
#     --no-build    does not build and install the plugin and the program
#     --no-program  builds and installs the plugin without the program gst-attitude
#     --tests       also installs what only the tests need
#
# The first build takes a few minutes on two cores.
set -euo pipefail

readonly PACKAGES=(
    pkg-config libgstreamer1.0-dev libgstreamer-plugins-{base,bad}1.0-dev libcairo2-dev libpango1.0-dev
    gstreamer1.0-plugins-{base,good,bad,ugly} gstreamer1.0-libav gstreamer1.0-nice gstreamer1.0-x
    gstreamer1.0-tools gstreamer1.0-plugins-base-apps fonts-dejavu-core
)
readonly TEST_PACKAGES=(
    gstreamer1.0-opencv opencv-data python3-gi gir1.2-gstreamer-1.0 gir1.2-gst-plugins-{base,bad}-1.0
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-rtsp chromium python3-venv ffmpeg
    janus mosquitto mosquitto-clients redis-server nats-server openssl libnginx-mod-rtmp
    gstreamer1.0-gl libgl1-mesa-dri libegl-mesa0 libvulkan1
    r-cran-haven r-cran-readr libpulse-mainloop-glib0
)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
readonly root data

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

# shellcheck source=pipelines/onnxruntime.sh
source "$root/pipelines/onnxruntime.sh"

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

# Installs the oldest ONNX Runtime that the plugin can use. Python's packages of that time contain no library for other
# programs, but npm's does.
install_oldest_runtime() {
    local version=1.17.3 hash=fd586d4ab53d89fdade19ffcc75b208fd66ab417b247cb6ae299be1bb40d76be work
    local target=$data/gst-attitude/test-providers/onnxruntime-oldest
    if [[ -e $target/libonnxruntime.so ]]; then
        say "ONNX Runtime $version: already installed in $target"
        return
    fi
    if ! command -v npm >/dev/null; then
        say "ONNX Runtime $version: skipped, as npm is missing"
        return
    fi
    mkdir -p "${target%/*}"
    work=$(mktemp -d "$target.XXXXXX")
    # shellcheck disable=SC2064 # expands now: the variable is local
    trap "rm -rf '$work'" EXIT
    say "ONNX Runtime $version: downloading 52M and installing into $target"
    npm pack --silent --pack-destination "$work" "onnxruntime-node@$version" >/dev/null
    sha256sum --quiet --check <<<"$hash  $work/onnxruntime-node-$version.tgz"
    mkdir "$work/lib"
    tar -xzf "$work/onnxruntime-node-$version.tgz" -C "$work/lib" --strip-components=5 \
        "package/bin/napi-v3/linux/x64/libonnxruntime.so.$version"
    ln -s "libonnxruntime.so.$version" "$work/lib/libonnxruntime.so"
    mv -T "$work/lib" "$target"
    rm -rf "$work"
}

# Installs Playwright, which drives a browser.
install_playwright() {
    local target=$data/gst-attitude/playwright
    "$root/pipelines/python-environment.sh" "$target" "$root/tests/program/report/requirements.txt" --no-deps
    say "Playwright: installed in $target"
}

# Copies a file atomically; sets `installed` unless it is already there.
install_file() { # file, target, mode, description
    if cmp -s "$1" "$2"; then
        say "$4: already installed in ${2%/*}"
    else
        mkdir -p "${2%/*}"
        install -m "$3" "$1" "$2.new"
        mv "$2.new" "$2"
        say "$4: installed into ${2%/*}"
        installed=true
    fi
}

# Builds and installs the plugin, the program, and the script that installs ONNX Runtime.
build_and_install() { # true to skip the program
    local plugins=$data/gstreamer-1.0/plugins programs=${XDG_BIN_HOME:-$HOME/.local/bin} built
    say "building; the first build takes a few minutes on two cores"
    built=$("$root/pipelines/build.sh" plugin)
    install_file "$built/libgstattitude.so" "$plugins/libgstattitude.so" 644 plugin
    install_file "$root/pipelines/onnxruntime.sh" "$programs/gst-attitude-onnxruntime" 755 gst-attitude-onnxruntime
    gst-inspect-1.0 faceattitude >/dev/null \
        || die "GStreamer does not find faceattitude; if GST_PLUGIN_SYSTEM_PATH is set, try: GST_PLUGIN_PATH='$plugins' gst-inspect-1.0 faceattitude"
    $1 && return
    "$root/pipelines/build.sh" program >/dev/null
    install_file "$built/gst-attitude" "$programs/gst-attitude" 755 "program gst-attitude"
    install_manuals "$built/gst-attitude"
    [[ :$PATH: == *:$programs:* ]] || say "$programs is not in PATH: add it, or run $programs/gst-attitude"
}

# Installs what the program generates, where man, bash and fish look for it.
install_manuals() { # program
    local completions=$data/bash-completion/completions fish=$data/fish/vendor_completions.d
    mkdir -p "$completions" "$fish"
    "$1" man "$data/man/man1"
    "$1" completions bash >"$completions/gst-attitude"
    "$1" completions fish >"$fish/gst-attitude.fish"
    say "manual pages and completions: installed into $data"
}

gpu="" build=true no_program=false tests=false
for argument in "$@"; do
    case $argument in
        --gpu) gpu=auto ;;
        --gpu=cuda | --gpu=openvino | --gpu=webgpu) gpu=${argument#*=} ;;
        --no-build) build=false ;;
        --no-program) no_program=true ;;
        --tests) tests=true ;;
        -h | --help) sed -n '/^# Installs/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
        *) die "unknown argument '$argument'; usage: setup.sh [--gpu[=cuda|openvino|webgpu]] [--no-build | --no-program] [--tests]" ;;
    esac
done

check_rust
packages=("${PACKAGES[@]}")
if $tests; then packages+=("${TEST_PACKAGES[@]}"); fi
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
install_packages "${packages[@]}"
install_libraries "$data/gst-attitude/onnxruntime" onnxruntime
if [[ $gpu ]]; then
    [[ $gpu != auto ]] || gpu=$(find_gpu)
    [[ $gpu != webgpu ]] || install_packages libvulkan1
    install_gpu "$data/gst-attitude" "$gpu"
fi
if $tests; then
    say "Debian starts services of janus, mosquitto, nats-server and redis-server; the tests do not use them:" \
        "systemctl disable --now janus mosquitto nats-server redis-server"
    install_playwright
    if [[ $(uname -m) == x86_64 ]]; then
        for package in onnxruntime-{webgpu,ep-webgpu,openvino,gpu}; do
            install_libraries "$data/gst-attitude/test-providers/$package" "$package"
        done
        install_oldest_runtime
    fi
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
