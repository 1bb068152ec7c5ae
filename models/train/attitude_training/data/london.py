# SPDX-License-Identifier: MPL-2.0
"""Loads the Face Research Lab London Set (DeBruine and Jones, 2017), each person neutral and smiling.

It is for validation only: it states the age, gender and ethnicity that people reported of themselves.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..common.pictures import archived, decoded
from .faces import VALIDATION, Faces
from .labels import ATTITUDES, EMOTIONS, NEGATIVE

# First ages of the bands. There are too few people above 45 for another band.
AGE_BANDS = (18, 25, 35)
NOT_STATED = "not stated"
# Names of the groupings.
GROUPINGS = ("gender", "age", "ethnicity")
# Long side of the pictures in which the detector finds the faces, in px, and its minimum score. Portraits that fill
# the picture are found best at this size.
DETECTION_SIDE, MIN_SCORE = 320, 0.5
# Detectors need sides that are multiples of this.
MULTIPLE = 32
EMOTION_OF_ATTITUDE = {"positive": "happiness", "neutral": "neutral"}

# Finds faces in a picture (height, width, 3), BGR, with a minimum score. Returns rows (n, 15) as in
# detector/detections.py.
Detector = Callable[[np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class London:
    """The pictures and what is known about the people.

    faces: the pictures in BGR, all in the split VALIDATION, with the boxes and landmarks that a detector found.
    groups: the group of each face (n,), by grouping.
    """

    faces: Faces
    groups: dict[str, np.ndarray]

    def gray(self) -> Faces:
        """Returns the faces with gray pictures."""
        images = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in self.faces.images]
        return Faces(**{**vars(self.faces), "images": images})


def load(folder: Path, detector: Detector) -> London:
    """Loads `london.tar` and `london.jsonl`. A picture in which the detector finds no face is left out."""
    folder = Path(folder)
    rows = [json.loads(line) for line in (folder / "london.jsonl").read_text().splitlines()]
    files = archived([folder / "london.tar"])
    images = [decoded(files[row["file"]], cv2.IMREAD_COLOR) for row in rows]
    found = [_largest_face(image, detector) for image in images]
    known = [index for index, face in enumerate(found) if face is not None]
    for index in sorted(set(range(len(rows))) - set(known)):
        print(f"{rows[index]['file']}: no face found, left out", flush=True)
    rows = [rows[index] for index in known]
    attitude = np.array([ATTITUDES.index(row["attitude"]) for row in rows])
    assert NEGATIVE not in attitude, "the set has neutral and smiling faces only"
    emotions = [EMOTIONS.index(EMOTION_OF_ATTITUDE[row["attitude"]]) for row in rows]
    faces = Faces(
        images=[images[index] for index in known],
        landmarks=[found[index][5:].reshape(5, 2) for index in known],
        boxes=[found[index][1:5] for index in known],
        attitude=attitude,
        votes=np.eye(len(EMOTIONS), dtype=np.float32)[emotions],
        names=[row["file"] for row in rows],
        split=np.full(len(rows), VALIDATION),
    )
    groups = {
        "gender": np.array([row["gender"] for row in rows]),
        "age": np.array([age_band(row["age"]) for row in rows]),
        "ethnicity": np.array([row["eth"].replace("_", " ") for row in rows]),
    }
    return London(faces, groups)


def age_band(age: str) -> str:
    """Returns the band of an age in years, as text."""
    if not age.isdigit():
        return NOT_STATED
    band = sum(int(age) >= first for first in AGE_BANDS[1:])
    if band == len(AGE_BANDS) - 1:
        return f"{AGE_BANDS[band]} and older"
    return f"{AGE_BANDS[band]} to {AGE_BANDS[band + 1] - 1}"


def _largest_face(image: np.ndarray, detector: Detector) -> np.ndarray | None:
    """Returns the row (15,) of the largest face, in px of the picture."""
    height, width = image.shape[:2]
    scale = DETECTION_SIDE / max(height, width)
    size = [max(MULTIPLE, int(side * scale) // MULTIPLE * MULTIPLE) for side in (width, height)]
    rows = detector(cv2.resize(image, size, interpolation=cv2.INTER_AREA), MIN_SCORE)
    if len(rows) == 0:
        return None
    row = rows[rows[:, 4].argmax()].copy()
    row[1:] *= np.tile((width / size[0], height / size[1]), 7)
    return row
