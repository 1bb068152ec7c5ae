# SPDX-License-Identifier: MPL-2.0
"""Loads the pictures that composites consist of."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..data import backgrounds, fer2013, second_set
from ..data.faces import Faces
from ..data.landmarks import TURNED_AWAY, turned_away
from .detections import LANDMARKS, SCORE, Detector

# Share of heads that are turned away. They are a tenth of the material, and detectors miss them most often.
TURNED_AWAY_SHARE = 0.35
# Share of photos with people among the backgrounds, because they contain faces in the wild.
CROWDED_SHARE = 0.2
# Scale and border, in px, at which the teacher finds the face in a picture of FER2013, and its minimum score.
SQUARE_SCALE, SQUARE_BORDER, SQUARE_SCORE = 2, 16, 0.5


@dataclass(frozen=True)
class Material:
    """Heads and backgrounds of one split.

    portraits: Faces in color, with landmarks.
    squares: Faces of FER2013, without landmarks.
    backgrounds: pictures (height, width, 3).
    turned_portraits, turned_squares: indices of heads that are turned away.
    crowded: indices of backgrounds with faces.
    """

    portraits: Faces
    squares: Faces
    backgrounds: list[np.ndarray]
    turned_portraits: np.ndarray
    turned_squares: np.ndarray
    crowded: np.ndarray

    @staticmethod
    def load(folder: Path, split: str, teacher: Detector) -> "Material":
        """Loads the pictures of a split; the teacher finds the turned heads of FER2013."""
        photos = backgrounds.load(folder, split)
        portraits = second_set.load(folder, cv2.IMREAD_COLOR).of(split)
        squares = fer2013.load(folder).of(split)
        return Material(
            portraits,
            squares,
            photos.images,
            np.flatnonzero([turned_away(points) > TURNED_AWAY for points in portraits.landmarks]),
            np.flatnonzero([is_turned_square(image, teacher) for image in squares.images]),
            np.flatnonzero(photos.has_faces),
        )

    def square(self, rng: np.random.Generator) -> int:
        """Chooses the index of a picture of FER2013."""
        return pick(rng, len(self.squares), self.turned_squares)

    def portrait(self, rng: np.random.Generator) -> int:
        """Chooses the index of a portrait."""
        return pick(rng, len(self.portraits), self.turned_portraits)

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """Chooses a photo, preferring photos with people."""
        if rng.random() < CROWDED_SHARE and len(self.crowded):
            return self.backgrounds[rng.choice(self.crowded)]
        return self.backgrounds[rng.integers(len(self.backgrounds))]


def pick(rng: np.random.Generator, count: int, turned: np.ndarray) -> int:
    """Chooses one of `count` heads, preferring those that are turned away."""
    if rng.random() < TURNED_AWAY_SHARE and len(turned):
        return rng.choice(turned)
    return rng.integers(count)


def is_turned_square(image: np.ndarray, teacher: Detector) -> bool:
    """Returns whether the teacher finds a head that is turned away in a picture of FER2013."""
    side = SQUARE_SCALE * fer2013.SIDE
    picture = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    picture = cv2.copyMakeBorder(picture, *[SQUARE_BORDER] * 4, cv2.BORDER_REPLICATE)
    found = teacher(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), SQUARE_SCORE)
    if len(found) == 0:
        return False
    return turned_away(found[found[:, SCORE].argmax(), LANDMARKS].reshape(5, 2)) > TURNED_AWAY
