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
# What CUDA's execution provider needs beside NVIDIA's driver.
readonly CUDA_WHEELS=(nvidia-cuda-runtime nvidia-cublas nvidia-curand nvidia-cudnn-cu13)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
readonly root data

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

# Prints version, SHA-256 and size of the wheel of a package: its libraries are native code that runs in the user's process.
wheel() { # package
    case $1-$(uname -m) in
        onnxruntime-x86_64) echo 1.31.1 5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f 20M ;;
        onnxruntime-aarch64) echo 1.31.1 da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3 20M ;;
        onnxruntime-gpu-x86_64) echo 1.31.1 e26c475fe361b2015f45b4b824bd13f0bb20204e59b62814e6f0acd5f3d491a6 256M ;;
        onnxruntime-openvino-x86_64) echo 1.24.1 3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8 84M ;;
        onnxruntime-webgpu-x86_64) echo 1.27.0 142eb8bdb803c58117bf64164d201f43180bc87229cac14b590aa4ea79e0f70b 25M ;;
        onnxruntime-ep-webgpu-x86_64) echo 0.4.0 5d8c961eda91a88961cad1fb7621f389f006b18497d6ea9ecf96f729f066cbfb 7M ;;
        nvidia-cuda-runtime-x86_64) echo 13.5.37 df2b79a8852f10d1fef8c848489c49eebb5754051bf870202a862831412b179d 3M ;;
        nvidia-cublas-x86_64) echo 13.10.0.20 dcc6d63884c53d07e267ce7e6feac17b2538cebaafec5db865736c3e28e4dc84 444M ;;
        nvidia-curand-x86_64) echo 10.4.5.25 22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529 77M ;;
        nvidia-cudnn-cu13-x86_64) echo 9.28.1.4 a54f205b1db1f2895d99f398754db1369816f0569dd459731f925635cf7b65ec 517M ;;
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

# Extracts the libraries of the wheels of some packages into a folder of that of gst-attitude. The folder is renamed last,
# so that an existing one is complete.
install_libraries() { # folder, packages
    local target=$data/gst-attitude/$1 package version hash size work installed=""
    for package in "${@:2}"; do
        read -r version hash size < <(wheel "$package")
        [[ $version ]] || exit 1
        installed+="$package $version"$'\n'
    done
    if cmp -s - "$target/installed.txt" <<<"$installed"; then
        say "$1: already installed in $target"
        return
    fi
    mkdir -p "${target%/*}"
    work=$(mktemp -d "$target.XXXXXX")
    # shellcheck disable=SC2064 # expands now: the variable is local
    trap "rm -rf '$work'" EXIT
    mkdir "$work/lib"
    for package in "${@:2}"; do
        read -r version hash size < <(wheel "$package")
        say "$package $version: downloading $size and installing into $target"
        python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 \
            --platform "manylinux_2_28_$(uname -m)" --platform "manylinux_2_27_$(uname -m)" \
            --platform "manylinux2014_$(uname -m)" --platform "manylinux1_$(uname -m)" --dest "$work" \
            --require-hashes --requirement <(echo "$package==$version --hash=sha256:$hash")
        python3 -m zipfile -e "$work"/*.whl "$work/wheel"
        find "$work/wheel" -name 'lib*.so*' -exec mv -t "$work/lib" {} +
        rm -rf "$work"/*.whl "$work/wheel"
    done
    for library in "$work"/lib/libonnxruntime.so.*; do
        [[ ! -e $library ]] || ln -s "${library##*/}" "$work/lib/libonnxruntime.so"
    done
    echo "$installed" >"$work/lib/installed.txt"
    rm -rf "$target"
    mv -T "$work/lib" "$target"
    rm -rf "$work"
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

# Prints the kind of ONNX Runtime for the GPU of this machine.
find_gpu() {
    if nvidia-smi -L >/dev/null 2>&1; then
        echo cuda
    elif grep -qs 0x8086 /sys/class/drm/card*/device/vendor; then
        echo openvino
    elif compgen -G '/sys/class/drm/card*' >/dev/null; then
        echo webgpu
    else
        die "no GPU found; to install for one anyway, use --gpu=cuda, --gpu=openvino or --gpu=webgpu"
    fi
}

# Installs an ONNX Runtime that uses a GPU.
install_gpu() { # cuda, openvino or webgpu
    case $1 in
        cuda)
            install_libraries onnxruntime-gpu onnxruntime-gpu "${CUDA_WHEELS[@]}"
            say "GPU: NVIDIA's driver must support CUDA 13 (580 or newer)"
            ;;
        openvino)
            install_libraries onnxruntime-openvino onnxruntime-openvino
            say "GPU: needs the driver of Debian's intel-opencl-icd"
            ;;
        webgpu)
            install_packages libvulkan1
            install_libraries onnxruntime-webgpu onnxruntime-webgpu
            say "GPU: needs its Vulkan driver, for AMD and Intel that of Debian's mesa-vulkan-drivers"
            ;;
    esac
    say "GPU: 'gst-attitude devices' shows whether it runs the models"
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
install_libraries onnxruntime onnxruntime
if [[ $gpu ]]; then
    [[ $gpu != auto ]] || gpu=$(find_gpu)
    install_gpu "$gpu"
fi
if $tests; then
    say "Debian starts services of janus, mosquitto, nats-server and redis-server; the tests do not use them:" \
        "systemctl disable --now janus mosquitto nats-server redis-server"
    install_playwright
    if [[ $(uname -m) == x86_64 ]]; then
        for package in onnxruntime-{webgpu,ep-webgpu,openvino,gpu}; do
            install_libraries "test-providers/$package" "$package"
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
