#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Installs ONNX Runtime for gst-attitude from a Python package, whose version and SHA-256 are fixed here.
#
#     gst-attitude-onnxruntime [--yes] [--system] [--gpu[=cuda|openvino|webgpu]]
#
#     --yes     downloads without asking
#     --system  installs for all users, in /usr/lib/gst-attitude; requires root. Default: for you, in your data folder,
#               ~/.local/share/gst-attitude
#     --gpu     installs an ONNX Runtime that uses the GPU (x86_64 only): with CUDA for NVIDIA's, OpenVINO for Intel's,
#               WebGPU for all others, or the named one
#
# Requires Python 3.11 or newer with pip or Debian's python3-pip-whl. pipelines/setup.sh uses the same functions.
set -euo pipefail

# The folder that the packages search, see pipelines/debian/rules.
readonly SYSTEM_FOLDER=/usr/lib/gst-attitude
# Whether to ask before downloads.
ask=false

# What CUDA's execution provider needs beside NVIDIA's driver.
readonly CUDA_WHEELS=(nvidia-cuda-runtime nvidia-cublas nvidia-curand nvidia-cudnn-cu13)

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

# Runs pip, or the one that Debian packages for virtual environments, without the compilers of python3-pip.
run_pip() { # arguments
    local wheels=(/usr/share/python-wheels/pip-*.whl)
    if python3 -m pip --version >/dev/null 2>&1; then
        python3 -m pip "$@"
    elif [[ -e ${wheels[0]} ]]; then
        PYTHONPATH=${wheels[0]} python3 -m pip "$@"
    else
        die "pip is missing; as root, run: apt-get install python3-pip-whl"
    fi
}

# Asks whether to download packages.
ask_to_download() { # folder, packages
    local package version hash size reply=""
    echo "ONNX Runtime runs the neural networks of gst-attitude. To be downloaded from PyPI into $1:"
    for package in "${@:2}"; do
        read -r version hash size < <(wheel "$package")
        echo "    $package $version, $size, SHA-256 $hash"
    done
    [[ -t 0 ]] || die "nobody can be asked here; to download without a question, use --yes"
    read -rp "Download? [y/N] " reply
    [[ $reply == [yY]* ]] || die "nothing was downloaded"
}

# Extracts the libraries of the wheels of some packages into a folder, which is renamed last, so that an existing one is
# complete.
install_libraries() { # folder, packages
    local target=$1 name=${1##*/} package version hash size work installed=""
    for package in "${@:2}"; do
        read -r version hash size < <(wheel "$package")
        [[ $version ]] || exit 1
        installed+="$package $version"$'\n'
    done
    if cmp -s - "$target/installed.txt" <<<"$installed"; then
        say "$name: already installed in $target"
        return
    fi
    if $ask; then ask_to_download "$@"; fi
    mkdir -p "${target%/*}"
    work=$(mktemp -d "$target.XXXXXX")
    # shellcheck disable=SC2064 # expands now: the variable is local
    trap "rm -rf '$work'" EXIT
    mkdir "$work/lib"
    for package in "${@:2}"; do
        read -r version hash size < <(wheel "$package")
        say "$package $version: downloading $size and installing into $target"
        run_pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 \
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
install_gpu() { # folder for the folder of the libraries; cuda, openvino or webgpu
    case $2 in
        cuda)
            install_libraries "$1/onnxruntime-gpu" onnxruntime-gpu "${CUDA_WHEELS[@]}"
            say "GPU: NVIDIA's driver must support CUDA 13 (580 or newer)"
            ;;
        openvino)
            install_libraries "$1/onnxruntime-openvino" onnxruntime-openvino
            say "GPU: needs the driver of Debian's intel-opencl-icd"
            ;;
        webgpu)
            install_libraries "$1/onnxruntime-webgpu" onnxruntime-webgpu
            say "GPU: needs libvulkan1 and its Vulkan driver, for AMD and Intel that of Debian's mesa-vulkan-drivers"
            ;;
    esac
    say "GPU: 'gst-attitude devices' shows whether it runs the models"
}

main() {
    local argument gpu="" folder=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude
    ask=true
    for argument; do
        case $argument in
            --yes) ask=false ;;
            --system) folder=$SYSTEM_FOLDER ;;
            --gpu) gpu=$(find_gpu) ;;
            --gpu=cuda | --gpu=openvino | --gpu=webgpu) gpu=${argument#*=} ;;
            -h | --help) sed -n '/^# Installs/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit ;;
            *) die "unknown argument '$argument'; see gst-attitude-onnxruntime --help" ;;
        esac
    done
    if [[ $folder == "$SYSTEM_FOLDER" ]]; then
        [[ $EUID == 0 ]] || die "--system requires root; run it as root, or without --system to install for you"
        umask 022
    fi
    if [[ $gpu ]]; then
        install_gpu "$folder" "$gpu"
    else
        install_libraries "$folder/onnxruntime" onnxruntime
    fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    say() { echo "gst-attitude-onnxruntime: $*"; }
    die() { echo "gst-attitude-onnxruntime: $*" >&2; exit 1; }
    main "$@"
fi
