# SPDX-License-Identifier: MPL-2.0
"""Prints the metrics of an attitude classifier for its model card as Markdown.

    python3 models/train/report_attitude.py DATA MODEL.onnx [--split validation] [--compare OTHER.onnx] [--sheet FOLDER]

Evaluate changes on the validation split; use the test split only for the card.

    --compare  also measures the time per face, alternating with another model
    --sheet    also writes contact sheets of the errors; they show people: do not commit them
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import crop
import faces
import figures

HEIGHTS_PX = (96, 48, 32, 24, 16)
ROLLS_DEGREES = (0, 15, 30)
BLURS_PX = (0.5, 1.0, 2.0)
JPEG_QUALITIES = (50, 20, 10)
BRIGHTNESSES = (1.5, 0.5, 0.25, 0.1)
THRESHOLDS = (0.0, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9)


def session(path):
    """Creates an inference session on one thread, as in the plugin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def scores(model, crops, batch=64):
    """Returns the scores (n, 3) of the attitudes of crops (n, 48, 48)."""
    pixels = np.stack(crops)[:, None]
    name = model.get_inputs()[0].name
    rows = [model.run(["scores"], {name: pixels[i : i + batch]})[0] for i in range(0, len(pixels), batch)]
    return np.concatenate(rows)


def placement(image, landmarks):
    return crop.whole(image) if landmarks is None else crop.from_landmarks(landmarks)


def crops(part, change=lambda image, landmarks: (image, landmarks)):
    """Cuts faces like the plugin, each after `change`."""
    changed = [change(image, landmarks) for image, landmarks in zip(part.images, part.landmarks)]
    return [crop.cut(image, placement(image, landmarks)) for image, landmarks in changed]


def to_height(height):
    """Scales faces down to a box of `height` px."""

    def change(image, landmarks):
        factor = height / (crop.SIDE * abs(placement(image, landmarks)[0]))
        if factor >= 1:
            return image, landmarks
        size = [max(1, round(side * factor)) for side in image.shape[::-1]]
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return small, None if landmarks is None else landmarks * factor

    return change


def to_roll(degrees):
    """Rotates faces clockwise about the middle of the picture."""

    def change(image, landmarks):
        height, width = image.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
        turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return turned, None if landmarks is None else landmarks @ matrix[:, :2].T + matrix[:, 2]

    return change


def to_blur(sigma):
    """Blurs by `sigma` pixels of the crop."""

    def change(image, landmarks):
        return cv2.GaussianBlur(image, (0, 0), sigma * abs(placement(image, landmarks)[0])), landmarks

    return change


def to_jpeg(quality):
    """Scales faces down to 96 px and compresses them as JPEG."""

    def change(image, landmarks):
        image, landmarks = to_height(96)(image, landmarks)
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), landmarks

    return change


def to_brightness(factor):
    def change(image, landmarks):
        return np.clip(image * factor, 0, 255).astype(np.uint8), landmarks

    return change


CONDITIONS = (
    [(f"{height} px high", to_height(height)) for height in HEIGHTS_PX]
    + [(f"rolled by {degrees}°", to_roll(degrees)) for degrees in ROLLS_DEGREES]
    + [(f"blurred, σ {sigma} px of the crop", to_blur(sigma)) for sigma in BLURS_PX]
    + [(f"JPEG quality {quality}", to_jpeg(quality)) for quality in JPEG_QUALITIES]
    + [(f"brightness x {factor}", to_brightness(factor)) for factor in BRIGHTNESSES]
)


def majority(part):
    """Returns the attitude that most voters chose, and whether it is unique."""
    by_attitude = np.stack([part.votes[:, faces.ATTITUDE_OF_EMOTION == a].sum(1) for a in range(3)], 1)
    ordered = np.sort(by_attitude, 1)
    return by_attitude.argmax(1), ordered[:, -1] > ordered[:, -2]


def face_costs_ms(models, rounds=300):
    """Measures the median time per face of models, alternately."""
    one = np.random.default_rng(0).uniform(0, 255, (1, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
    times = [[] for _ in models]
    for _ in range(rounds):
        for model, taken in zip(models, times):
            started = time.perf_counter()
            model.run(None, {model.get_inputs()[0].name: one})
            taken.append(time.perf_counter() - started)
    return [1e3 * float(np.median(taken)) for taken in times]


def contact_sheet(part, cut, found, path, columns=16, rows=8):
    """Writes the errors with the highest scores, each with its label and the prediction."""
    wrong = np.flatnonzero(found.argmax(1) != part.attitude)
    wrong = wrong[np.argsort(-found[wrong].max(1))][: columns * rows]
    sheet = np.zeros((rows * 124, columns * 96), np.uint8)
    for position, index in enumerate(wrong):
        y, x = 124 * (position // columns), 96 * (position % columns)
        sheet[y : y + 96, x : x + 96] = cv2.resize(cut[index], (96, 96), interpolation=cv2.INTER_CUBIC).clip(0, 255)
        label, predicted = faces.ATTITUDES[part.attitude[index]], faces.ATTITUDES[found[index].argmax()]
        for line, text in enumerate((f"is {label}", f"found {predicted} {found[index].max():.2f}"[:18])):
            cv2.putText(sheet, text, (x, y + 107 + 12 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.32, 255)
    cv2.imwrite(str(path), sheet)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--split", choices=(faces.VALIDATION, faces.TEST), default=faces.VALIDATION)
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()

    model = session(options.model)
    parts = [part.of(options.split) for part in (faces.fer2013(options.data), faces.second_set(options.data))]
    cuts = [crops(part) for part in parts]
    found = [scores(model, cut) for cut in cuts]
    labels = np.concatenate([part.attitude for part in parts])
    weights = figures.mix_weights(np.repeat([0, 1], [len(part) for part in parts]))
    everything = np.concatenate(found)

    print(f"Split: {options.split}, {len(parts[0])} faces of FER2013, {len(parts[1])} of the second set.\n")
    print("| faces | accuracy | MCC | kappa | ECE |\n|---|---|---|---|---|")
    best, has_majority = majority(parts[0])
    ones = [np.ones(len(part)) for part in parts]
    for name, row in (
        ("mix with 72% FER2013", figures.summary(labels, everything, weights)),
        ("FER2013", figures.summary(parts[0].attitude, found[0], ones[0])),
        ("second set", figures.summary(parts[1].attitude, found[1], ones[1])),
        (
            "FER2013, majority of FER+ votes",
            figures.summary(best[has_majority], found[0][has_majority], ones[0][has_majority]),
        ),
    ):
        print(f"| {name} | " + " | ".join(f"{row[key]:.3f}" for key in ("accuracy", "mcc", "kappa", "ece")) + " |")
    print("\n" + figures.classes(labels, everything, weights))
    print("\n" + figures.risk_coverage(labels, everything, weights, THRESHOLDS))

    print("\n| condition | FER2013 | second set |\n|---|---|---|")
    for name, change in CONDITIONS:
        accuracies = [(scores(model, crops(part, change)).argmax(1) == part.attitude).mean() for part in parts]
        print(f"| {name} | {accuracies[0]:.3f} | {accuracies[1]:.3f} |")

    if options.compare:
        ours, others = face_costs_ms([model, session(options.compare)])
        print(
            f"\nTime per face on one thread: {ours:.3f} ms; other model: {others:.3f} ms; ratio: {ours / others:.3f}."
        )
    if options.sheet:
        options.sheet.mkdir(parents=True, exist_ok=True)
        for name, part, cut, rows in zip(("fer2013", "second-set"), parts, cuts, found):
            contact_sheet(part, cut, rows, options.sheet / f"errors-{name}.png")


if __name__ == "__main__":
    main()
