# SPDX-License-Identifier: MPL-2.0
"""Fits the quality score of the plugin: when a poor picture changes what the classifier says about a face.

    python3 -m attitude_training.attitude.quality DATA MODEL.onnx

Makes photos of the second set smaller, blurred, dark, noisy and compressed, and fits the probability that the
classifier says the same as about the unchanged photo (logistic regression on the validation split). Prints the
coefficients, which are constants of src/attitude/quality.rs, and how well they rank the pictures of the test split.
Also prints the accuracy by the angle between face and camera, from which the factor for turned heads was chosen.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ..common.command_line import parser
from ..common.inference import session
from ..common.markdown import table
from ..common.pictures import compressed
from ..common.statistics import Share
from ..data import second_set
from ..data.faces import TEST, TRAIN, VALIDATION, Faces
from ..data.labels import ATTITUDES
from ..data.landmarks import camera_angle
from .crop import SIDE, cut, placement
from .evaluation import scores

# Poor pictures per photo, and seed of their degradations.
COPIES, SEED = 10, 3
# The part of the crop that is measured, which is the face.
INNER = slice(6, 42)
# Limits of the measures, as in src/attitude/quality.rs.
HEIGHTS_PX, CONTRASTS, DETAILS = (8, SIDE), (1, 40), (0.005, 0.5)
# Sharpness of a good picture: a blurred one has less, a noisy one more.
BALANCE = -3.0
COEFFICIENTS = ("HEIGHT", "BLUR", "NOISE", "CONTRAST")
# Weight of the regularization, which is not needed for so few coefficients.
INVERSE_REGULARIZATION = 100
# Measures (n, 4) of poor pictures, and whether the model says the same as about the good ones (n,).
Examples = tuple[np.ndarray, np.ndarray]
# Limits of the ranges of angles in degrees.
ANGLES = (0, 10, 20, 30, 40, 50, 90)


def measures(crop: np.ndarray, height_px: float) -> np.ndarray:
    """Returns what the coefficients are for (4,), all at most 0 and larger for better pictures.

    `crop` is (SIDE, SIDE), float32 0..255, and its height in the picture is `height_px`.
    """
    inner = crop[INNER, INNER]
    deviation = inner.std()
    detail = np.sqrt(np.square(inner - cv2.blur(crop, (3, 3))[INNER, INNER]).mean())
    sharpness = np.log2(np.clip(detail / (deviation + 1), *DETAILS))
    height = np.log2(np.clip(height_px, *HEIGHTS_PX) / HEIGHTS_PX[1])
    contrast = np.log2(np.clip(deviation, *CONTRASTS) / CONTRASTS[1])
    return np.array([height, min(0, sharpness - BALANCE), min(0, BALANCE - sharpness), contrast])


def poor(image: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Degrades a picture (height, width), uint8, in one way or all. Returns it with its landmarks (5, 2)."""
    ways = ("small", "blurred", "dark", "noisy", "compressed", "all")
    way = ways[rng.integers(len(ways))]

    def is_chosen(*chosen: str) -> bool:
        return way in (*chosen, "all")

    height = full_height = SIDE * abs(placement(image, landmarks)[0])
    if is_chosen("small"):
        height = np.exp(rng.uniform(np.log(9), np.log(full_height)))
    else:
        height = min(height, rng.choice((32, 48, 64, 96, 200)))
    factor = height / full_height
    if factor < 1:
        size = [max(1, round(side * factor)) for side in image.shape[::-1]]
        image, landmarks = cv2.resize(image, size, interpolation=cv2.INTER_AREA), landmarks * factor
    pixels = image.astype(np.float32)
    if is_chosen("blurred"):
        sigma = rng.uniform(0.1, 3.5)
        pixels = cv2.GaussianBlur(pixels, (0, 0), sigma * height / SIDE)
    if is_chosen("dark"):
        pixels = pixels * np.exp(rng.uniform(np.log(0.03), np.log(1.5)))
    if is_chosen("noisy", "dark"):
        pixels = pixels + rng.normal(0, rng.uniform(0, 20), pixels.shape)
    image = np.clip(pixels.round(), 0, 255).astype(np.uint8)
    return (compressed(image, int(rng.integers(5, 60))) if is_chosen("compressed") else image), landmarks


def examples(model: onnxruntime.InferenceSession, faces: Faces) -> Examples:
    """Returns examples from poor pictures of faces."""
    rng = np.random.default_rng(SEED)
    rows, crops, said = [], [], []
    originals = [cut(image, placement(image, points)) for image, points in zip(faces.images, faces.landmarks)]
    for image, landmarks, found in zip(faces.images, faces.landmarks, _said(model, originals)):
        for _ in range(COPIES):
            picture, points = poor(image, landmarks, rng)
            crop_in_picture = placement(picture, points)
            crops.append(cut(picture, crop_in_picture))
            rows.append(measures(crops[-1], SIDE * abs(crop_in_picture[0])))
            said.append(found)
    return np.stack(rows), _said(model, crops) == np.array(said)


def _said(model: onnxruntime.InferenceSession, crops: Sequence[np.ndarray]) -> np.ndarray:
    return scores(model, np.stack(crops)[:, None]).argmax(1)


def fit(fitted: Examples, tested: Examples) -> str:
    """Fits the constants to examples, and formats them with the ranking of other examples."""
    if any(is_same.all() or not is_same.any() for _, is_same in (fitted, tested)):
        return "poor pictures change nothing or everything that the model says: there is no quality to fit\n"
    regression = LogisticRegression(C=INVERSE_REGULARIZATION).fit(*fitted)
    rows = [("INTERCEPT", regression.intercept_[0]), *zip(COEFFICIENTS, regression.coef_[0])]
    inputs, is_same = tested
    area = roc_auc_score(is_same, regression.predict_proba(inputs)[:, 1])
    ranking = f"area under the ROC curve on the test split: {area:.3f}; same attitude: {is_same.mean():.3f}"
    return f"{table(('constant', 'value'), rows)}\n\n{ranking}\n"


def angles(model: onnxruntime.InferenceSession, faces: Faces) -> str:
    """Formats the accuracy by the angle between face and camera."""
    crops = [cut(image, placement(image, points)) for image, points in zip(faces.images, faces.landmarks)]
    said = _said(model, crops)
    turned = np.array([camera_angle(points) for points in faces.landmarks])
    bins = np.searchsorted(ANGLES, turned, "right") - 1
    negative = ATTITUDES.index("negative")
    rows = []
    for index, (low, high) in enumerate(itertools.pairwise(ANGLES)):
        chosen = bins == index
        columns = (said == faces.attitude, said == negative, faces.attitude == negative)
        shares = (Share.of(values[chosen]) for values in columns)
        rows.append((f"{low}° to {high}°", int(chosen.sum()), *shares))
    return table(("angle", "photos", "accuracy", "called negative", "labeled negative"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("data", type=Path)
    options_parser.add_argument("model", type=Path)
    options = options_parser.parse_args(arguments)

    model = session(options.model)
    photos = second_set.load(options.data)
    fitted, tested = (examples(model, photos.of(split)) for split in (VALIDATION, TEST))
    print(fit(fitted, tested))
    held_out = photos.at(np.flatnonzero(photos.split != TRAIN))
    print(angles(model, held_out))


if __name__ == "__main__":
    main()
