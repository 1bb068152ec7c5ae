# SPDX-License-Identifier: MPL-2.0
"""Exports a classifier from a checkpoint.

    python3 -m attitude_training.attitude.export DATA CHECKPOINT.pt FACE.npz OUT.onnx DESCRIPTION.toml

Fits a temperature on the validation split (Guo et al., "On Calibration of Modern Neural Networks", 2017), so that the
score of an attitude is the probability that most people would call the face so; exports ONNX with a dynamic batch; and
writes the description into it. FACE.npz is written by the step attitude.face.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from ..common.command_line import parser
from ..common.onnx_export import export
from ..data.faces import VALIDATION
from .crop import SIDE, crops
from .network import AttitudeNetwork, Probabilities, load, log_attitudes, logits
from .targets import sets

# Candidates of the temperature, in steps of 1%.
TEMPERATURES = np.geomspace(0.4, 2.5, 185)


def temperature(outputs: torch.Tensor, attitudes: np.ndarray) -> float:
    """Returns the temperature that minimizes the cross entropy of attitudes, indices (n,), for logits (n, 8)."""
    truth = torch.from_numpy(attitudes)
    logs = log_attitudes(outputs)
    losses = [float(cross_entropy(logs / t, truth)) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def face_layer(path: Path) -> nn.Linear:
    """Returns what the step attitude.face has fitted."""
    with np.load(path) as fitted:
        layer = nn.Linear(len(fitted["weights"]), 1)
        layer.weight.data.copy_(torch.from_numpy(fitted["weights"])[None])
        layer.bias.data.copy_(torch.from_numpy(fitted["bias"]))
    return layer


def calibrated(network: AttitudeNetwork, face: nn.Linear, data: Path) -> Probabilities:
    """Returns the network with a temperature, which is fitted to the majority of voters and to the photos' labels."""
    fer, second = (part.of(VALIDATION) for part in sets(data))
    majority, is_unique = fer.majority()
    fer = fer.at(np.flatnonzero(is_unique))
    outputs = torch.cat([logits(network, crops(part.images, part.landmarks)) for part in (fer, second)])
    fitted = temperature(outputs, np.concatenate([majority[is_unique], second.attitude]))
    print(f"temperature: {fitted:.3f}")
    return Probabilities(network, fitted, face)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("checkpoint", type=Path)
    add("face", type=Path)
    add("out", type=Path)
    add("description", type=Path)
    options = options_parser.parse_args(arguments)

    names = {name: {0: "n"} for name in ("scores", "emotions", "face")}
    module = calibrated(load(options.checkpoint), face_layer(options.face), options.data)
    export(module, torch.zeros(2, 1, SIDE, SIDE), options.out, {"luma": {0: "n"}}, names, options.description)


if __name__ == "__main__":
    main()
