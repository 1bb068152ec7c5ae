# SPDX-License-Identifier: MPL-2.0
"""Writes the trained face detector as an ONNX model with its description.

    python3 models/train/export_detector.py CHECKPOINT.pt OUT.onnx DESCRIPTION.toml
"""

import subprocess
import sys
from pathlib import Path

import torch

from detections import STRIDES
from detector_network import CenterMaps, DetectorNetwork

DESCRIBE = Path(__file__).parents[1] / "describe.py"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    checkpoint, out, description = sys.argv[1:]

    network = DetectorNetwork()
    network.load_state_dict(torch.load(checkpoint)["mean"])
    maps = {f"map_{stride}": {0: "n", 2: f"h{stride}", 3: f"w{stride}"} for stride in STRIDES}
    torch.onnx.export(
        CenterMaps(network).eval(),
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
