# SPDX-License-Identifier: MPL-2.0
"""Exports a face detector from a checkpoint.

    python3 -m attitude_training.detector.export VALIDATION CHECKPOINT.pt OUT.onnx DESCRIPTION.toml

VALIDATION is a folder written by the step detector.composites. Calibrates the scores on it, so that they are
probabilities there (Platt, "Probabilistic Outputs for Support Vector Machines", 1999). In video, more of the detections
with a score are faces than it says, because composites have more that looks like one.
Exports ONNX with dynamic batch, rows and columns, and writes the description into it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from ..common.command_line import parser
from ..common.onnx_export import export
from .detections import BOX, MULTIPLE, SCORE, STRIDES, are_among
from .network import DetectorNetwork, Maps, load
from .shards import Shard, shards_in
from .validation import MIN_OVERLAP, detections

# Minimum score of the detections that the calibration uses.
MIN_SCORE = 0.15
# Maximum score, whose logit is finite.
MAX_SCORE = 1 - 1e-6


def calibration(network: DetectorNetwork, shards: Sequence[Shard]) -> tuple[float, float]:
    """Returns the slope and shift of logits that turn scores into probabilities."""
    scores, are_faces = [], []
    for found, expected in detections(network, shards, MIN_SCORE):
        scores.append(found[:, SCORE])
        are_faces.append(are_among(found[:, BOX], expected[:, BOX], MIN_OVERLAP))
    known = np.concatenate(are_faces)
    if known.all() or not known.any():
        raise SystemExit(f"{known.sum()} of {len(known)} detections are faces; a calibration needs both kinds")
    values = np.concatenate(scores).astype(np.float64).clip(max=MAX_SCORE)
    fit = LogisticRegression(C=np.inf).fit(np.log(values / (1 - values))[:, None], known)
    return float(fit.coef_[0, 0]), float(fit.intercept_[0])


def write(network: DetectorNetwork, slope: float, shift: float, out: Path, description: Path) -> None:
    """Exports a network with calibrated scores and its description."""
    maps = {f"map_{stride}": {0: "n", 2: f"h{stride}", 3: f"w{stride}"} for stride in STRIDES}
    # Any size with two cells at the largest stride.
    example = torch.zeros(2, 1, 2 * MULTIPLE, 2 * MULTIPLE)
    export(Maps(network, slope, shift), example, out, {"luma": {0: "n", 2: "h", 3: "w"}}, maps, description)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("validation", type=Path)
    add("checkpoint", type=Path)
    add("out", type=Path)
    add("description", type=Path)
    options = options_parser.parse_args(arguments)

    network = load(options.checkpoint)
    slope, shift = calibration(network, shards_in(options.validation))
    print(f"scores: slope {slope:.3f}, shift {shift:.3f}")
    write(network, slope, shift, options.out, options.description)


if __name__ == "__main__":
    main()
