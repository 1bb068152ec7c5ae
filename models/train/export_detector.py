# SPDX-License-Identifier: MPL-2.0
"""Exports the default face detector from a checkpoint.

    python3 models/train/export_detector.py VALIDATION CHECKPOINT.pt OUT.onnx DESCRIPTION.toml

VALIDATION is a folder written by composites.py. Calibrates the scores on it, so that they are probabilities (Platt,
"Probabilistic Outputs for Support Vector Machines", 1999), and divides the odds by ODDS, because composites contain
more faces than video: of the detections with score 0.6 on composites, three in four are faces. Exports ONNX with
dynamic batch, rows and columns, and writes the description into it.
"""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from detections import BOX, SCORE, STRIDES
from detector_network import Maps, load
from train_detector import are_among, detections, shards_in

DESCRIBE = Path(__file__).parents[1] / "describe.py"
# Minimum score of the detections that the calibration uses.
MIN_SCORE = 0.15
# Composites contain 2.5 faces on average, video mostly one. With this divisor, the detector has no more false
# detections at 0.6 than YuNet at this size (validation split).
ODDS = 2.2


def calibration(network, shards):
    """Returns the slope and shift of logits that turn scores into probabilities in video."""
    scores, are_faces = [], []
    for found, expected in detections(network, shards, MIN_SCORE):
        scores.append(found[:, SCORE])
        are_faces.append(are_among(found[:, BOX], expected[:, BOX]))
    scores = np.concatenate(scores).astype(np.float64).clip(max=1 - 1e-6)
    fit = LogisticRegression(C=np.inf).fit(np.log(scores / (1 - scores))[:, None], np.concatenate(are_faces))
    return float(fit.coef_[0, 0]), float(fit.intercept_[0]) - math.log(ODDS)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip())
    validation, checkpoint, out, description = sys.argv[1:]

    network = load(checkpoint)
    slope, shift = calibration(network, shards_in(Path(validation)))
    print(f"scores: slope {slope:.3f}, shift {shift:.3f}")
    maps = {f"map_{stride}": {0: "n", 2: f"h{stride}", 3: f"w{stride}"} for stride in STRIDES}
    torch.onnx.export(
        Maps(network, slope, shift).eval(),
        (torch.zeros(2, 1, 64, 64),),
        out,
        input_names=["luma"],
        output_names=list(maps),
        dynamic_axes={"luma": {0: "n", 2: "h", 3: "w"}, **maps},
        opset_version=17,
        dynamo=False,
    )
    subprocess.run([sys.executable, DESCRIBE, out, description], check=True)


if __name__ == "__main__":
    main()
