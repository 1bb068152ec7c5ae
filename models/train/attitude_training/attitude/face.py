# SPDX-License-Identifier: MPL-2.0
"""Fits the probability that a crop shows an upright face at all.

    python3 -m attitude_training.attitude.face DATA DETECTOR.onnx CHECKPOINT.pt FACE.npz

It is a logistic regression on the features of a trained classifier, whose weights stay as they are. Faces are those of
the training split, changed as in its training. The others are faces on their side and upside down, cut as the detector
finds them, what the detector takes for faces in photos without people, and other parts of such photos. Prints how many
of each kind on the validation split are taken for faces, and for photos that are turned by an angle, how many are
detected, and how many of these are taken for faces.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from ..common.command_line import parser
from ..common.markdown import table
from ..common.statistics import Share
from ..data import backgrounds, second_set
from ..data.faces import TRAIN, VALIDATION, Faces
from ..detector.detections import LANDMARKS, MULTIPLE, CenterMaps
from . import augmentation, crop
from .network import AttitudeNetwork, load, logits
from .targets import sets

# Crops of each kind for the fit; a fifth of it for the figures. Half of the faces are of each set.
COUNT, SEED = 10000, 5
# Angles of faces that are not upright, in degrees; between these and upright ones are faces of neither kind.
TURNS = (75, 285)
# Angles of the table, in degrees, and minimum score of its detections.
ANGLES, TABLE_SCORE = range(0, 181, 15), 0.5
# Errors of the detector on what is not an upright face: standard deviations of the logarithm of the scale, of the
# shift in sides of the crop, and of the rotation in degrees.
ZOOM, SHIFT, ROTATION = 0.12, 0.06, 10
# Minimum score of a detection that is used, and sizes at which the detector searches a photo.
MIN_SCORE, SCALES = 0.15, (0.7, 1, 1.6)
# Minimum side of a part of a photo, in px.
MIN_SIDE = 20
# Weight of the regularization, which is not needed for so few features.
INVERSE_REGULARIZATION = 1
STRENGTH = 1.0
CENTER = complex(crop.SIDE, crop.SIDE) / 2


class FaceFeatures(torch.nn.Module):
    """Maps luma to the features of a classifier."""

    def __init__(self, network: AttitudeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, luma: torch.Tensor) -> torch.Tensor:
        return self.network.features(luma)


def upright(faces: Faces, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Cuts random faces like the training of the classifier."""
    for index in rng.integers(len(faces), size=count):
        yield augmentation.augmented(faces.images[index], faces.landmarks[index], faces.boxes[index], STRENGTH, rng)


def filmed(image: np.ndarray, shown_from_crop: crop.Similarity, rng: np.random.Generator) -> np.ndarray:
    """Cuts a crop of a picture that is degraded like those of faces."""
    m, t = shown_from_crop
    image, factor = augmentation.degraded(image, abs(m), STRENGTH, rng)
    return augmentation.lit(crop.cut(image, (m * factor, t * factor)), STRENGTH, rng)


def found(image: np.ndarray, detector: CenterMaps, min_score: float = MIN_SCORE) -> list[crop.Similarity]:
    """Returns where the detector takes something in a gray picture for a face."""
    height, width = (math.ceil(side / MULTIPLE) * MULTIPLE for side in image.shape)
    padded = np.zeros((height, width), np.uint8)
    padded[: image.shape[0], : image.shape[1]] = image
    return [crop.from_landmarks(row[LANDMARKS].reshape(5, 2)) for row in detector(padded, min_score)]


def rotated(image: np.ndarray, box: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Turns a picture around the middle of a box (x, y, width, height). Returns it with the middle (2,)."""
    middle = box[:2] + box[2:] / 2
    turn = cv2.getRotationMatrix2D(tuple(map(float, middle)), degrees, 1)
    return cv2.warpAffine(image, turn, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), middle


def turned(faces: Faces, count: int, detector: CenterMaps, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Cuts faces on their side and upside down where the detector finds them, or where they are."""
    for index in rng.integers(len(faces), size=count):
        image, box = faces.images[index], faces.boxes[index]
        has_box = box is not None
        box = box if has_box else np.array((0, 0, *image.shape[::-1]))
        image, middle = rotated(image, box, rng.uniform(*TURNS))
        side = box[3]
        places = found(image, detector) if has_box else []
        if places:
            shown_from_crop = places[rng.integers(len(places))]
        else:
            scale = side / crop.SIDE * math.exp(rng.normal(0, ZOOM))
            m = scale * np.exp(1j * math.radians(rng.normal(0, ROTATION)))
            shift = complex(*rng.normal(0, SHIFT * side, 2))
            shown_from_crop = m, complex(*middle) + shift - m * CENTER
        yield filmed(image, shown_from_crop, rng)


def false_faces(photos: Sequence[np.ndarray], detector: CenterMaps, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Cuts what the detector takes for a face in gray photos without people."""
    for photo in photos:
        for scale in SCALES:
            scaled = cv2.resize(photo, None, fx=scale, fy=scale)
            for shown_from_crop in found(scaled, detector):
                yield filmed(scaled, augmentation.placed(shown_from_crop, True, rng), rng)


def parts(photos: Sequence[np.ndarray], count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Cuts random squares of gray photos."""
    for index in rng.integers(len(photos), size=count):
        photo = photos[index]
        side = math.exp(rng.uniform(math.log(MIN_SIDE), math.log(min(photo.shape))))
        corner = complex(*(rng.uniform(0, length - side) for length in photo.shape[::-1]))
        yield filmed(photo, (side / crop.SIDE + 0j, corner), rng)


def kinds(data: Path, split: str, count: int, detector: CenterMaps) -> dict[str, np.ndarray]:
    """Returns crops (n, 1, SIDE, SIDE) of a split by what they show; the first kind is upright faces."""
    rng = np.random.default_rng(SEED)
    fer, second = (part.of(split) for part in sets(data))
    pictures = backgrounds.load(data, split)
    photos = [
        cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        for image, has_faces in zip(pictures.images, pictures.has_faces)
        if not has_faces
    ]
    cuts = {
        "upright faces": [*upright(fer, count // 2, rng), *upright(second, count // 2, rng)],
        "faces turned by 75 to 285 degrees": [
            *turned(fer, count // 4, detector, rng),
            *turned(second, count // 4, detector, rng),
        ],
        "false detections": list(false_faces(photos, detector, rng)),
        "parts of photos": list(parts(photos, count // 5, rng)),
    }
    return {kind: np.stack(crops)[:, None].astype(np.float32) for kind, crops in cuts.items() if crops}


def fitted(faces: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, float]:
    """Fits the logit of a face to features (n, features) of both kinds. Returns weights (features,) and bias."""
    inputs = np.concatenate([faces, others])
    mean, deviation = inputs.mean(0), inputs.std(0) + 1e-6
    fit = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=3000)
    fit.fit((inputs - mean) / deviation, np.arange(len(inputs)) < len(faces))
    weights = fit.coef_[0] / deviation
    return weights, float(fit.intercept_[0] - mean @ weights)


def by_angle(photos: Faces, detector: CenterMaps, is_face: Callable[[np.ndarray], np.ndarray]) -> str:
    """Formats how many photos are detected, and how many of these are taken for faces, by the angle they are turned."""
    rows = []
    for degrees in ANGLES:
        cuts = []
        for photo, box in zip(photos.images, photos.boxes):
            image, middle = rotated(photo, box, degrees)
            places = found(image, detector, TABLE_SCORE)
            # The one in whose crop the face is.
            places = [(m, t) for m, t in places if abs((complex(*middle) - t) / m - CENTER) < crop.SIDE / 2]
            cuts += [crop.cut(image, place) for place in places[:1]]
        taken = is_face(np.stack(cuts)[:, None]) if cuts else np.empty(0, bool)
        rows.append((f"{degrees}°", len(photos), Share.of(np.arange(len(photos)) < len(cuts)), Share.of(taken)))
    return table(("turned by", "photos", "detected", "of these taken for a face"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("detector", type=Path)
    add("checkpoint", type=Path)
    add("face", type=Path)
    add("--count", type=int, default=COUNT, help="number of faces of the fit (default: %(default)s)")
    options = options_parser.parse_args(arguments)

    cv2.setNumThreads(1)
    detector = CenterMaps(options.detector)
    network = FaceFeatures(load(options.checkpoint)).eval()

    cuts = kinds(options.data, TRAIN, options.count, detector)
    features = [logits(network, crops).numpy() for crops in cuts.values()]
    weights, bias = fitted(features[0], np.concatenate(features[1:]))
    np.savez(options.face, weights=weights.astype(np.float32), bias=np.float32(bias))

    def is_face(crops: np.ndarray) -> np.ndarray:
        return logits(network, crops).numpy() @ weights + bias > 0

    cuts = kinds(options.data, VALIDATION, options.count // 5, detector)
    rows = [(kind, len(crops), Share.of(is_face(crops))) for kind, crops in cuts.items()]
    print(table(("crops", "number", "taken for a face"), rows))
    print(by_angle(second_set.load(options.data).of(VALIDATION), detector, is_face))


if __name__ == "__main__":
    main()
