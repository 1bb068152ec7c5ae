#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Trains the default models; see README.md in this folder.
set -euo pipefail

if [[ $# -lt 2 || $# -gt 3 ]]; then
    echo "usage: models/train/run.sh DATA YUNET.onnx [FOLDER]" >&2
    exit 2
fi
recipes=$(cd "$(dirname "$0")" && pwd)
models=$(dirname "$recipes")
data=$1
yunet=$2
work=${3:-$(dirname "$models")/output/train}
mkdir -p "$work"
# Batches are large and short-lived: returning their memory to the system each time takes 10% of the training time.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
python=$work/venv/bin/python

run() { # script arguments...
    echo "== $*"
    "$python" -u "$recipes/$1" "${@:2}" 2>&1 | tee -a "$work/$(basename "$1" .py).log"
}

if [[ ! -x $python ]]; then
    echo "== installing Python packages into $work/venv"
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet -r "$recipes/requirements.txt"
fi

run train_attitude.py "$data" "$work/teacher.pt"
run train_attitude.py "$data" "$work/attitude.pt" --teacher "$work/teacher.pt" --seed 2
run export_attitude.py "$data" "$work/attitude.pt" "$models/attitude.onnx" "$models/attitude.toml"
run report_attitude.py "$data" "$models/attitude.onnx" --split test --sheet "$work/errors"
run variants.py "$data" "$models/attitude.onnx" "$work/variants"
cp "$work/variants/attitude-int8.onnx" "$models/"
run report_attitude.py "$data" "$models/attitude-int8.onnx" --split test
run label_noise.py "$data" "$work/teacher.pt" "$work/attitude.pt"

run composites.py "$data" "$yunet" "$work/composites/train" --count 32000
run composites.py "$data" "$yunet" "$work/composites/validation" --split validation --count 1000 --seed 2
run train_detector.py "$work/composites/train" "$work/composites/validation" "$work/face-detector-1.pt"
run composites.py "$data" "$yunet" "$work/composites/more" --count 24000 --seed 3
run train_detector.py "$work/composites/more" "$work/composites/validation" "$work/face-detector.pt" \
    --init "$work/face-detector-1.pt" --rate 2e-3 --epochs 4
run export_detector.py "$work/composites/validation" "$work/face-detector.pt" "$models/face-detector.onnx" "$models/face-detector.toml"
run report_detector.py "$data" "$yunet" "$models/face-detector.onnx" --failures "$work/missed"

echo "== wrote models/attitude.onnx, models/attitude-int8.onnx and models/face-detector.onnx; figures and contact sheets are in $work"
