# SPDX-License-Identifier: MPL-2.0
"""Exports int8 and float16 variants of a classifier, and compares their speed and accuracy.

    python3 -m attitude_training.attitude.quantize DATA MODEL.onnx FOLDER

Writes FOLDER/NAME-int8.onnx (static quantization, calibrated on training faces) and FOLDER/NAME-float16.onnx. The
inputs and outputs of both are float32, and both contain the description of the model with their own name. Prints the
size, the accuracy and the calibration error on the validation split, and the time per face, measured in turns with the
original.
"""

import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from ..common.command_line import parser
from ..common.inference import session
from ..common.markdown import table
from ..data.faces import TRAIN, VALIDATION, Faces
from . import metrics
from .crop import crops
from .evaluation import face_costs_ms, scores
from .targets import sets

# Number of training faces that the ranges of activations are taken from, half of each set.
CALIBRATION_FACES = 512
# The outputs stay float32, because int8 scores would have steps of 1/255.
INT8_OPERATORS = ("Conv", "Relu", "Add")
DESCRIPTION_KEY = "gst-attitude"


class Calibration(CalibrationDataReader):
    """Provides crops (n, 1, 48, 48) one at a time."""

    def __init__(self, cuts: Iterable[np.ndarray]) -> None:
        self.pixels = iter(cuts)

    def get_next(self) -> dict[str, np.ndarray] | None:
        cut = next(self.pixels, None)
        return None if cut is None else {"luma": cut[None]}


def random_crops(part: Faces, count: int) -> np.ndarray:
    """Cuts up to `count` random faces, always the same ones."""
    chosen = part.at(np.sort(np.random.default_rng(0).permutation(len(part))[:count]))
    return crops(chosen.images, chosen.landmarks)


def drop_unused_operator_sets(model: onnx.ModelProto) -> None:
    """Removes the operator sets that no node is from.

    Quantization imports all that its ONNX Runtime has, and older ones refuse models that import newer sets.
    """
    domains = {node.domain for node in model.graph.node}
    used = [entry for entry in model.opset_import if entry.domain in domains]
    del model.opset_import[:]
    model.opset_import.extend(used)


def finish(path: Path, name: str) -> None:
    """Changes the name in the description of a model, and removes what it does not use."""
    model = onnx.load(path)
    drop_unused_operator_sets(model)
    (description,) = (entry for entry in model.metadata_props if entry.key == DESCRIPTION_KEY)
    description.value = re.sub(r'^name = ".*"$', f'name = "{name}"', description.value, flags=re.MULTILINE)
    onnx.save(model, path)


def merge_pooling(model: onnx.ModelProto) -> None:
    """Merges each 2x2 average pooling with the 1x1 convolution after it, because int8 pooling is slow."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for pooling in [node for node in model.graph.node if node.op_type == "AveragePool"]:
        (convolution,) = (node for node in model.graph.node if pooling.output[0] in node.input)
        shape = {entry.name: list(entry.ints) for entry in pooling.attribute if entry.ints}["kernel_shape"]
        if convolution.op_type != "Conv" or shape != [2, 2]:
            raise ValueError(
                f"{pooling.name}: a pooling of {shape} before {convolution.op_type}, expected 2x2 and Conv"
            )
        kernel = weights[convolution.input[1]]
        spread = np.tile(onnx.numpy_helper.to_array(kernel) / 4, (1, 1, 2, 2))
        kernel.CopyFrom(onnx.numpy_helper.from_array(spread, kernel.name))
        convolution.input[0] = pooling.input[0]
        for entry in convolution.attribute:
            if entry.name in ("kernel_shape", "strides"):
                entry.ints[:] = [2, 2]
        model.graph.node.remove(pooling)


def write_int8(original: Path, path: Path, cuts: np.ndarray) -> None:
    """Quantizes a model to int8 with the ranges that activations have on crops (n, 1, 48, 48)."""
    merged = onnx.load(original)
    merge_pooling(merged)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as prepared:
        quant_pre_process(merged, prepared.name)
        quantize_static(
            prepared.name,
            path,
            Calibration(cuts),
            op_types_to_quantize=list(INT8_OPERATORS),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Weights of 7 bits, because 8 bits overflow on CPUs without VNNI.
            reduce_range=True,
        )


def compare(paths: Sequence[Path], fer: Faces, second: Faces) -> str:
    """Formats size, accuracy and time of models; the first is the original."""
    models = [session(path) for path in paths]
    majority, is_unique = fer.majority()
    truth = np.concatenate([majority[is_unique], second.attitude])
    cuts = [crops(part.images, part.landmarks) for part in (fer.at(np.flatnonzero(is_unique)), second)]
    weights = metrics.mix_weights(np.repeat([0, 1], [len(part) for part in cuts]))
    costs = face_costs_ms(models)
    rows = []
    for path, model, cost in zip(paths, models, costs):
        found = np.concatenate([scores(model, part) for part in cuts])
        correct = np.split(found.argmax(1) == truth, [len(cuts[0])])
        error = metrics.calibration_error(truth, found, weights)
        shares = (float(part.mean()) for part in correct)
        rows.append((path.name, path.stat().st_size, *shares, error, cost, f"{cost / costs[0]:.2f}"))
    headings = ("model", "bytes", "FER2013's majority", "photos", "ECE", "ms", "time relative to the original")
    return table(headings, rows)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("model", type=Path)
    add("folder", type=Path)
    options = options_parser.parse_args(arguments)

    original: Path = options.model
    options.folder.mkdir(parents=True, exist_ok=True)
    both = sets(options.data)
    int8, float16 = (options.folder / f"{original.stem}-{kind}.onnx" for kind in ("int8", "float16"))
    onnx.save(convert_float_to_float16(onnx.load(original), keep_io_types=True), float16)
    write_int8(original, int8, np.concatenate([random_crops(part.of(TRAIN), CALIBRATION_FACES // 2) for part in both]))
    for path in (int8, float16):
        finish(path, f"gst-{path.stem}")
    print(compare((original, int8, float16), *(part.of(VALIDATION) for part in both)))


if __name__ == "__main__":
    main()
