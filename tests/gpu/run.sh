#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Runs the tests of a kit that tests/gpu/pack.sh packed, on a machine with a GPU, and prints a report in Markdown.
#
#     gpu-kit/run.sh [PART...] >report.md
#
#     PART  devices, labels, batches, streams, faults, webgpu, gl, nvdec; default: all, in at most 6 minutes
#
# CUDA's and cuDNN's libraries are searched in Python's packages and /usr/local/cuda.
set -uo pipefail

kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${OUT:-$(mktemp -d)}
readonly kit out
parts=("$@")
[[ $# != 0 ]] || parts=(devices labels batches streams faults webgpu gl nvdec)
failed=()

export PATH=$kit/bin:$PATH LD_LIBRARY_PATH=$kit/lib GST_PLUGIN_PATH=$kit/plugins GST_PLUGIN_SYSTEM_PATH='' \
    GST_REGISTRY=$out/registry.bin GST_REGISTRY_FORK=no ORT_DYLIB_PATH=$kit/ort/libonnxruntime.so XDG_CACHE_HOME=$out \
    CUDA_MODULE_LOADING=LAZY
webgpu=$kit/webgpu/libonnxruntime_providers_webgpu.so

# Prints the output of a command as a block, and notes whether it failed.
block() { # name, seconds, command...
    printf '\n```text\n'
    timeout "$2" "${@:3}" 2>&1 || { echo "failed: $1 ($?)"; failed+=("$1"); }
    printf '```\n'
}

# Prints the messages of a command that is expected to fail or to warn.
messages() { # command...
    printf '\n```text\n'
    timeout 60 "$@" 2>&1 | grep -E '^(WARNING|ERROR)|from element|Got EOS' | cut -c1-400
    printf '```\n'
}

# Links CUDA's libraries where the provider finds them: beside ONNX Runtime.
link_cuda() {
    python3 - "$kit/ort" <<'PYTHON'
import glob, os, site, sys

roots = [*site.getsitepackages(), site.getusersitepackages(), *sys.path]
places = [f"{root}/nvidia/*/lib" for root in roots] + ["/usr/local/cuda/lib64", "/usr/local/nvidia/lib64"]
for place in places:
    for library in glob.glob(f"{place}/libcu*.so.*") + glob.glob(f"{place}/libnvrtc*.so.*"):
        link = os.path.join(sys.argv[1], os.path.basename(library))
        if not os.path.lexists(link) and not os.path.basename(library).startswith("libcuda.so"):
            os.symlink(library, link)
PYTHON
}

# Runs the clip through the element with these properties, and writes the records.
analyze() { # name, properties, decoder and elements behind it
    # shellcheck disable=SC2086 # the words of a pipeline
    block "$1" 60 gst-launch-1.0 -q filesrc location="$kit/clip.webm" ! matroskademux ! $3 \
        ! faceattitude mode=sync sample-interval=0 $2 ! attitudeexport ! filesink location="$out/$1.jsonl"
}

# Compares the records of two runs.
compare() { # name, name
    block "$1-$2" 10 python3 "$kit/compare.py" "$out/$1.jsonl" "$out/$2.jsonl"
}

# Pipeline of live streams that are analyzed at once.
streams() { # number, properties
    local number
    for ((number = 0; number < $1; number++)); do
        echo "filesrc location=$kit/clip.webm ! matroskademux ! vp8dec ! queue ! faceattitude mode=live $2 ! fakesink sync=true "
    done
}

measure_streams() { # number, properties
    echo
    echo "$1 streams, $2:"
    # shellcheck disable=SC2046 # the words of a pipeline
    block streams 60 bash -c 'TIMEFORMAT="%R s, CPU %U s + %S s"; time gst-launch-1.0 -q "$@"' _ $(streams "$1" "$2")
    nvidia-smi --query-gpu=memory.used --format=csv,noheader
}

part_devices() {
    block devices 120 gst-attitude devices
}

part_labels() {
    # The same weights as on the GPU: float32, where the CPU uses int8 by default.
    analyze cpu "execution-provider=cpu attitude-model=$kit/attitude.onnx" vp8dec
    analyze cuda "execution-provider=cuda fallback=error" vp8dec
    compare cpu cuda
}

part_batches() {
    block batches 90 providers cuda
}

part_streams() {
    local provider
    for provider in cpu cuda; do
        measure_streams 16 "execution-provider=$provider"
    done
    measure_streams 64 execution-provider=cuda
}

part_faults() {
    local source="videotestsrc num-buffers=3"
    printf '\nDevice 7, refused, then with a fallback:\n'
    # shellcheck disable=SC2086 # the words of a pipeline
    messages gst-launch-1.0 $source ! faceattitude execution-provider=cuda device-id=7 fallback=error ! fakesink
    # shellcheck disable=SC2086
    messages gst-launch-1.0 $source ! faceattitude execution-provider=cuda device-id=7 ! fakesink
    printf '\nNo GPU visible:\n'
    # shellcheck disable=SC2086
    CUDA_VISIBLE_DEVICES='' messages gst-launch-1.0 $source ! faceattitude ! fakesink
    printf '\nNo libraries of CUDA beside ONNX Runtime:\n'
    mkdir -p "$out/without-cuda"
    ln -sf "$kit"/ort/libonnxruntime* "$out/without-cuda"
    # shellcheck disable=SC2086
    ORT_DYLIB_PATH=$out/without-cuda/libonnxruntime.so messages gst-launch-1.0 $source ! faceattitude ! fakesink
    printf '\nAn option that does not exist:\n'
    # shellcheck disable=SC2086
    messages gst-launch-1.0 $source ! faceattitude execution-provider=cuda provider-options=use_tf23=1 ! fakesink
    printf '\nToo little memory allowed:\n'
    # shellcheck disable=SC2086
    messages gst-launch-1.0 $source ! faceattitude execution-provider=cuda gpu-mem-limit=1000 ! fakesink
}

part_webgpu() {
    local icd
    for icd in /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json /{usr/share,etc}/vulkan/icd.d/nvidia_icd.json; do
        [[ ! -e $icd ]] || export VK_DRIVER_FILES=${VK_DRIVER_FILES-$icd}
    done
    block webgpu 120 gst-attitude devices --provider-library "$webgpu"
}

part_gl() {
    local egl=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
    local upload="vp8dec ! videoconvert ! video/x-raw,format=RGBA ! glupload"
    [[ ! -e $egl ]] || export __EGL_VENDOR_LIBRARY_FILENAMES=$egl
    export GST_GL_PLATFORM=egl GST_GL_WINDOW=egl-device
    analyze gl-downloaded execution-provider=cpu "$upload ! gldownload"
    analyze gl-in-place execution-provider=cpu "$upload ! video/x-raw(memory:GLMemory)"
    compare gl-downloaded gl-in-place
}

part_nvdec() {
    analyze nvdec-downloaded execution-provider=cuda "nvvp8dec ! cudadownload"
    analyze nvdec-in-place execution-provider=cuda "nvvp8dec ! video/x-raw(memory:CUDAMemory)"
    compare nvdec-downloaded nvdec-in-place
}

link_cuda
echo "# Report of tests/gpu/run.sh"
echo
echo "Commit $(cat "$kit/commit"), $(date -u +%F), $(nproc) CPU cores."
block machine 20 nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv
for part in "${parts[@]}"; do
    printf '\n## %s\n' "$part"
    SECONDS=0
    "part_$part"
    printf '\n%s s\n' "$SECONDS"
done
printf '\n## Summary\n\n'
if [[ ${#failed[@]} == 0 ]]; then
    echo "All parts ran."
else
    echo "Failed: ${failed[*]}"
    exit 1
fi
