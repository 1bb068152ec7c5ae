#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Packs all that the tests on a GPU need, for a machine that has only NVIDIA's driver, Python and CUDA's libraries.
#
#     tests/gpu/pack.sh [ARCHITECTURE]
#
#     ARCHITECTURE  of the GPU: 90 for H100 and H200 (default), 89 for L4 and RTX 40, 80 for A100
#
# Writes target/gpu-kit.tar.xz, about 45 MiB. There:
#
#     tar -xf gpu-kit.tar.xz && gpu-kit/run.sh >report.md
#
# Needs what pipelines/setup.sh --tests installs. PROFILE=dev packs a build for development.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
architecture=${1:-90} profile=${PROFILE:-release}
kit=$root/target/gpu-kit
readonly root architecture profile kit
readonly ELEMENTS=(
    app coreelements matroska opengl playback rawparse typefindfunctions videoconvertscale videoparsersbad videorate
    videotestsrc vpx nvcodec
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$root"

echo "pack: building"
cargo build --locked --profile "$profile" --package gst-plugin-attitude --lib
cargo build --locked --profile "$profile" --package gst-attitude --bins
cargo build --locked --profile "$profile" --package gst-attitude-pipelines --example average_faces
benchmark=$(cargo build --locked --profile "$profile" --package gst-attitude-bench --bench providers --message-format=json \
    | python3 -c 'import json, sys; print(*[m["executable"] for m in map(json.loads, sys.stdin) if m.get("executable")])')
built=$root/target/$([[ $profile == dev ]] && echo debug || echo "$profile")

rm -rf "$kit"
mkdir -p "$kit"/{bin,lib,plugins,ort,webgpu}
cp "$built/gst-attitude" /usr/bin/gst-{launch,inspect}-1.0 "$kit/bin"
cp "$benchmark" "$kit/bin/providers"
cp "$built/libgstattitude.so" "$kit/plugins"
plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0)
for element in "${ELEMENTS[@]}"; do
    cp "$plugins/libgst$element.so" "$kit/plugins" || echo "pack: without $element" >&2
done
strip "$kit"/bin/* "$kit"/plugins/*

echo "pack: ONNX Runtime with CUDA for architecture $architecture, and WebGPU"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check zstandard
"$work/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
    --platform manylinux_2_28_x86_64 --dest "$work" --require-hashes --requirement tests/gpu/requirements.txt
for wheel in "$work"/*.whl; do python3 -m zipfile -e "$wheel" "$work/wheels"; done
cp "$work"/wheels/onnxruntime/capi/libonnxruntime{.so.*,_providers_shared.so} "$kit/ort"
ln -s "$(cd "$kit/ort" && echo libonnxruntime.so.*)" "$kit/ort/libonnxruntime.so"
"$work/venv/bin/python" tests/gpu/strip_device_code.py "$work/wheels/onnxruntime/capi/libonnxruntime_providers_cuda.so" \
    "$kit/ort/libonnxruntime_providers_cuda.so" "$architecture"
cp "$work"/wheels/onnxruntime_ep_webgpu/*.so "$kit/webgpu"

echo "pack: libraries and a clip"
# Those of the C and C++ libraries are the machine's own, which CUDA's libraries may need in a newer version.
for file in "$kit"/bin/* "$kit"/plugins/*.so; do ldd "$file"; done | awk '/=> \//{print $3}' | sort -u \
    | grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv|ld-linux-x86-64|libutil|libstdc\+\+|libgcc_s)\.so' | xargs cp -L -t "$kit/lib"
cp -L /usr/lib/x86_64-linux-gnu/libvulkan.so.1 "$kit/lib"
"$built/examples/average_faces" "$work/clip.mp4"
gst-launch-1.0 -q filesrc location="$work/clip.mp4" ! decodebin ! videoconvert ! vp8enc deadline=1 \
    ! webmmux ! filesink location="$kit/clip.webm"
cp tests/gpu/{run.sh,compare.py} models/attitude.onnx "$kit"
git rev-parse HEAD >"$kit/commit"

tar -C "$kit/.." -cf - gpu-kit | xz --x86 --lzma2=preset=9 -T1 >"$root/target/gpu-kit.tar.xz"
echo "pack: $(du -h "$root/target/gpu-kit.tar.xz")"
