# SPDX-License-Identifier: MPL-2.0
"""Exports the default attitude classifier from a checkpoint.

    python3 models/train/export_attitude.py DATA CHECKPOINT.pt OUT.onnx DESCRIPTION.toml

Fits one temperature per head on the validation split (Guo et al., "On Calibration of Modern Neural Networks", 2017), so
that scores are probabilities; exports ONNX with a dynamic batch; and writes the description into it.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

import crop
import faces
from attitude_network import Probabilities, load
from train_attitude import clean_crops, cross_entropy, logits, targets

DESCRIBE = Path(__file__).parents[1] / "describe.py"


def temperature(outputs, target):
    """Returns the divisor of logits (n, k) that minimises the cross entropy of their softmax with `target` (n, k)."""
    candidates = np.geomspace(0.4, 2.5, 200)
    losses = [float(cross_entropy(outputs / t, target)) for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip())
    data, checkpoint, out, description = sys.argv[1:]

    network = load(checkpoint)
    parts = [part.of(faces.VALIDATION) for part in (faces.fer2013(data), faces.second_set(data))]
    attitudes, emotions = (torch.cat(head) for head in zip(*(logits(network, clean_crops(part)) for part in parts)))
    labels, votes = (torch.from_numpy(np.concatenate(values)) for values in zip(*(targets(part) for part in parts)))
    temperatures = temperature(attitudes, labels), temperature(emotions, votes)
    print("temperatures of attitudes and emotions:", *(f"{t:.3f}" for t in temperatures))

    torch.onnx.export(
        Probabilities(network, *temperatures).eval(),
        (torch.zeros(2, 1, crop.SIDE, crop.SIDE),),
        out,
        input_names=["luma"],
        output_names=["scores", "emotions"],
        dynamic_axes={name: {0: "n"} for name in ("luma", "scores", "emotions")},
        opset_version=17,
        dynamo=False,
    )
    subprocess.run([sys.executable, DESCRIBE, out, description], check=True)


if __name__ == "__main__":
    main()
