#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# Trains the default models; see README.md in this folder.
set -euo pipefail

if [[ $# -lt 2 || $# -gt 3 ]]; then
    echo "usage: models/train/run.sh DATA YUNET.onnx [FOLDER]" >&2
    exit 2
fi
package=$(cd "$(dirname "$0")" && pwd)
models=$(dirname "$package")
data=$1
yunet=$2
work=${3:-$(dirname "$models")/output/train}
mkdir -p "$work"
# Batches are large and short-lived: returning their memory to the system each time takes 10% of the training time.
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456
export PYTHONPATH=$package
python=$work/venv/bin/python
# Runs a step of the package, and appends its output to FOLDER/STEP.log.
run() { # step arguments...
    echo "== $*" | tee -a "$work/$1.log"
    "$python" -u -m "attitude_training.$1" "${@:2}" 2>&1 | tee -a "$work/$1.log"
}

if [[ ! -x $python ]]; then
    echo "== installing Python packages into $work/venv"
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet -r "$package/requirements.txt"
fi

# The models that the training continues from; the exports below replace them.
mkdir -p "$work/earlier"
for model in attitude.onnx face-detector.onnx; do
    [[ -e $work/earlier/$model ]] || cp "$models/$model" "$work/earlier/"
done

# The detector, in two trainings on the same composites.
run detector.composites "$data" "$yunet" "$work/composites/train" --count 40000
run detector.composites "$data" "$yunet" "$work/composites/validation" --split validation --count 1200 --shard 60 --seed 2
run detector.train "$work/composites/train" "$work/composites/validation" "$work/face-detector-1.pt" \
    --init "$work/earlier/face-detector.onnx" --rate 2.5e-3 --epochs 4
run detector.train "$work/composites/train" "$work/composites/validation" "$work/face-detector.pt" \
    --init "$work/face-detector-1.pt" --rate 2e-3 --epochs 5 --seed 2
run detector.export "$work/composites/validation" "$work/face-detector.pt" "$models/face-detector.onnx" \
    "$models/face-detector.toml"
run detector.report "$data" "$yunet" "$models/face-detector.onnx" --failures "$work/missed"

# The classifier: a teacher, what it and the earlier model predict, and the default network, which learns from both,
# three times: the second and third time, its state is another teacher.
run attitude.train "$data" "$work/teacher.pt" --network teacher --epochs 16 --seed 11
teachers=("$work/teacher.pt" "$work/earlier/attitude.onnx")
run attitude.teach "$data" "$work/taught-1.npz" "${teachers[@]}" --sheet "$work/contradicted"
run attitude.train "$data" "$work/attitude-1.pt" --taught "$work/taught-1.npz" --init "$work/earlier/attitude.onnx" \
    --rate 2e-3 --epochs 16
run attitude.teach "$data" "$work/taught-2.npz" "${teachers[@]}" "$work/attitude-1.pt"
run attitude.train "$data" "$work/attitude-2.pt" --taught "$work/taught-2.npz" --init "$work/attitude-1.pt" \
    --rate 1.2e-3 --epochs 20 --seed 2
run attitude.teach "$data" "$work/taught-3.npz" "${teachers[@]}" "$work/attitude-2.pt"
run attitude.train "$data" "$work/attitude.pt" --taught "$work/taught-3.npz" --init "$work/attitude-2.pt" \
    --rate 1e-3 --epochs 24 --seed 10
run attitude.face "$data" "$models/face-detector.onnx" "$work/attitude.pt" "$work/face.npz"
run attitude.export "$data" "$work/attitude.pt" "$work/face.npz" "$models/attitude.onnx" "$models/attitude.toml"
run attitude.report "$data" "$yunet" "$models/attitude.onnx" --split test --sheet "$work/errors"
run attitude.quantize "$data" "$models/attitude.onnx" "$work/variants"
cp "$work/variants/attitude-int8.onnx" "$models/"
run attitude.report "$data" "$yunet" "$models/attitude-int8.onnx" --split test
run attitude.label_noise "$data" "$work/teacher.pt" "$work/attitude.pt"
run attitude.quality "$data" "$models/attitude.onnx"

# The variant for the original labels, which is a figure of the model card only. Like the recipe of 2019, it is
# pre-trained on FER+: it starts as the teacher.
run attitude.train "$data" "$work/labels.pt" --targets labels --network teacher --init "$work/teacher.pt" \
    --rate 1.5e-3 --epochs 12
run attitude.label_variant "$data" "$work/labels.pt"

echo "== wrote models/attitude.onnx, models/attitude-int8.onnx and models/face-detector.onnx; figures and contact sheets are in $work"
