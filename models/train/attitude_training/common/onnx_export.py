# SPDX-License-Identifier: MPL-2.0
"""Exports networks to ONNX."""

import subprocess
import sys
from pathlib import Path

import torch
from torch import nn

OPSET = 17
DESCRIBE = Path(__file__).parents[3] / "describe.py"


def export(
    module: nn.Module,
    example: torch.Tensor,
    out: Path,
    inputs: dict[str, dict[int, str]],
    outputs: dict[str, dict[int, str]],
    description: Path,
) -> None:
    """Writes a module as ONNX with a description.

    `inputs` and `outputs` have the names of the tensors, and the names of their dynamic axes. `example` is an input of
    any valid shape. `description` is a TOML file in the format of models/README.md.
    """
    torch.onnx.export(
        module.eval(),
        (example,),
        out,
        input_names=list(inputs),
        output_names=list(outputs),
        dynamic_axes={**inputs, **outputs},
        opset_version=OPSET,
        dynamo=False,
    )
    subprocess.run([sys.executable, DESCRIBE, out, description], check=True)
