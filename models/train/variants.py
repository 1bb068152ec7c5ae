# SPDX-License-Identifier: MPL-2.0
"""What eight-bit and half-precision versions of an attitude classifier cost and lose.

    python3 models/train/variants.py DATA MODEL.onnx FOLDER

Writes FOLDER/int8.onnx (static, calibrated on training faces) and FOLDER/float16.onnx (inputs and outputs stay float32), and prints
for each its size, accuracy on the validation split and the time of a face, in turns with the original's.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

import faces
from report_attitude import crops, face_costs_ms, scores, session

CALIBRATION_FACES = 512


class Calibration(CalibrationDataReader):
    """Training faces, one at a time."""

    def __init__(self, cuts):
        self.pixels = iter(cuts)

    def get_next(self):
        cut = next(self.pixels, None)
        return None if cut is None else {"luma": cut[None, None]}


def some(part, count):
    chosen = np.zeros(len(part), bool)
    chosen[np.random.default_rng(0).permutation(len(part))[:count]] = True
    marked = faces.Faces(**{**vars(part), "split": np.where(chosen, "chosen", "left out")})
    return crops(marked.of("chosen"))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    data, original, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    sets = [faces.fer2013(data), faces.second_set(data)]

    half, eight, prepared = folder / "float16.onnx", folder / "int8.onnx", folder / "prepared.onnx"
    onnx.save(convert_float_to_float16(onnx.load(original), keep_io_types=True), half)
    quant_pre_process(original, prepared)
    cuts = [cut for part in sets for cut in some(part.of(faces.TRAIN), CALIBRATION_FACES // 2)]
    quantize_static(
        prepared,
        eight,
        Calibration(cuts),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        # Seven bits of weights: eight overflow on CPUs without VNNI.
        reduce_range=True,
    )

    validation = [part.of(faces.VALIDATION) for part in sets]
    validation_cuts = [crops(part) for part in validation]
    paths = (original, eight, half)
    models = [session(path) for path in paths]
    print("| model | bytes | FER2013 | second set | ms | of the original |\n|---|---|---|---|---|---|")
    costs = face_costs_ms(models)
    for path, model, cost in zip(paths, models, costs):
        right = [
            (scores(model, cut).argmax(1) == part.attitude).mean() for cut, part in zip(validation_cuts, validation)
        ]
        size = path.stat().st_size
        print(f"| {path.name} | {size} | {right[0]:.4f} | {right[1]:.4f} | {cost:.3f} | {cost / costs[0]:.2f} |")


if __name__ == "__main__":
    main()
