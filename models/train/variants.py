# SPDX-License-Identifier: MPL-2.0
"""Exports int8 and float16 variants of an attitude classifier, and compares their speed and accuracy.

    python3 models/train/variants.py DATA MODEL.onnx FOLDER

Writes FOLDER/NAME-int8.onnx (static quantisation, calibrated on training faces) and FOLDER/NAME-float16.onnx. The
inputs and outputs of both are float32, and both contain the description of the model with their own name. Prints the
size, the accuracy and the calibration error on the validation split, and the time per face, measured alternately with
the original.
"""

import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

import faces
import figures
from report_attitude import crops, face_costs_ms, scores, session

CALIBRATION_FACES = 512


class Calibration(CalibrationDataReader):
    """Provides training faces one at a time."""

    def __init__(self, cuts):
        self.pixels = iter(cuts)

    def get_next(self):
        cut = next(self.pixels, None)
        return None if cut is None else {"luma": cut[None, None]}


def random_crops(part, count):
    chosen = np.zeros(len(part), bool)
    chosen[np.random.default_rng(0).permutation(len(part))[:count]] = True
    marked = faces.Faces(**{**vars(part), "split": np.where(chosen, "chosen", "left out")})
    return crops(marked.of("chosen"))


def rename(path, name):
    """Changes the name in the description of a model."""
    model = onnx.load(path)
    (description,) = (entry for entry in model.metadata_props if entry.key == "gst-attitude")
    description.value = re.sub(r'^name = ".*"$', f'name = "{name}"', description.value, flags=re.MULTILINE)
    onnx.save(model, path)


def merge_pooling(model):
    """Merges each 2x2 average pooling with the 1x1 convolution after it, because int8 pooling is slow."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for pooling in [node for node in model.graph.node if node.op_type == "AveragePool"]:
        (convolution,) = (node for node in model.graph.node if pooling.output[0] in node.input)
        assert {entry.name: list(entry.ints) for entry in pooling.attribute if entry.ints}["kernel_shape"] == [2, 2]
        kernel = weights[convolution.input[1]]
        spread = np.tile(onnx.numpy_helper.to_array(kernel) / 4, (1, 1, 2, 2))
        kernel.CopyFrom(onnx.numpy_helper.from_array(spread, kernel.name))
        convolution.input[0] = pooling.input[0]
        for entry in convolution.attribute:
            if entry.name in ("kernel_shape", "strides"):
                entry.ints[:] = [2, 2]
        model.graph.node.remove(pooling)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    data, original, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    sets = [faces.fer2013(data), faces.second_set(data)]

    int8, float16 = (folder / f"{original.stem}-{kind}.onnx" for kind in ("int8", "float16"))
    onnx.save(convert_float_to_float16(onnx.load(original), keep_io_types=True), float16)
    cuts = [cut for part in sets for cut in random_crops(part.of(faces.TRAIN), CALIBRATION_FACES // 2)]
    merged = onnx.load(original)
    merge_pooling(merged)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as prepared:
        quant_pre_process(merged, prepared.name)
        quantize_static(
            prepared.name,
            int8,
            Calibration(cuts),
            # The heads stay float32, because int8 scores would have steps of 1/255.
            op_types_to_quantize=["Conv", "Relu", "Add"],
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Weights of 7 bits, because 8 bits overflow on CPUs without VNNI.
            reduce_range=True,
        )
    for path in (int8, float16):
        rename(path, f"gst-{path.stem}")

    validation = [part.of(faces.VALIDATION) for part in sets]
    validation_cuts = [crops(part) for part in validation]
    paths = (original, int8, float16)
    models = [session(path) for path in paths]
    labels = np.concatenate([part.attitude for part in validation])
    weights = figures.mix_weights(np.repeat([0, 1], [len(part) for part in validation]))
    print(
        "| model | bytes | accuracy | FER2013 | second set | ECE | ms | time relative to the original |\n|" + "---|" * 8
    )
    costs = face_costs_ms(models)
    for path, model, cost in zip(paths, models, costs):
        found = [scores(model, cut) for cut in validation_cuts]
        accuracies = [(rows.argmax(1) == part.attitude).mean() for rows, part in zip(found, validation)]
        mixed = figures.summary(labels, np.concatenate(found), weights)
        print(
            f"| {path.name} | {path.stat().st_size} | {mixed['accuracy']:.4f} | {accuracies[0]:.4f} "
            f"| {accuracies[1]:.4f} | {mixed['ece']:.3f} | {cost:.3f} | {cost / costs[0]:.2f} |"
        )


if __name__ == "__main__":
    main()
