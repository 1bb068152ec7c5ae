# SPDX-License-Identifier: MPL-2.0
"""Measures which faces a detector finds, by their height in a frame and by group of people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..common.markdown import table
from ..common.statistics import Share
from ..data.faces import Faces
from ..data.london import London
from .detections import BOX, MULTIPLE, Detector, ious

# Side of the frames, and heights of the faces in them, in px: from the smallest face of a label to the whole frame.
FRAME_SIDE = 640
HEIGHTS_PX = (12, 16, 20, 24, 32, 48, 80, 120, 160, 200, 240, 280, 320, 400, 480, 560, 640)
# Long sides of the detector's input, in px.
INPUT_SIDES = (320, 640)
# Minimum score, the default of the plugin, and the intersection over union from which on a face is found.
MIN_SCORE, MIN_OVERLAP = 0.6, 0.4
# Number of photos per height.
PHOTOS = 60
# Scale below which a picture is averaged before it is pasted, because interpolation would skip pixels.
MIN_INTERPOLATED = 0.6
# Opacity, 0 to 255, from which on a pixel shows the portrait.
HALF_OPAQUE = 128
# Heights, in px of the frame, and gains of the pictures by group.
GROUP_HEIGHT_PX, SMALL_HEIGHT_PX, DARK_GAIN = 160, 48, 0.1


@dataclass(frozen=True)
class Portrait:
    """A picture (height, width, 3) with the box (x, y, width, height) of its face, in px."""

    image: np.ndarray
    box: np.ndarray


def portraits(faces: Faces) -> list[Portrait]:
    """Returns the pictures of faces that have boxes."""
    return [Portrait(image, box) for image, box in zip(faces.images, faces.boxes)]


def fitted(frame: np.ndarray, long_side: int) -> np.ndarray:
    """Scales a frame into the top left of a black picture whose sides are multiples of MULTIPLE, like the plugin."""
    scale = long_side / max(frame.shape[:2])
    height, width = (round(side * scale) for side in frame.shape[:2])
    picture = np.zeros((*(math.ceil(side / MULTIPLE) * MULTIPLE for side in (height, width)), 3), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture[:height, :width] = cv2.resize(frame, (width, height), interpolation=interpolation)
    return picture


def framed(portrait: Portrait, height: float, background: np.ndarray) -> Portrait:
    """Puts a face of a height, in px, into the middle of a square frame; the rest of the frame is the background."""
    scale, middle = height / portrait.box[3], FRAME_SIDE / 2
    center = portrait.box[:2] + portrait.box[2:] / 2
    picture, factor = portrait.image, scale
    if scale < MIN_INTERPOLATED:
        size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
        picture, factor = cv2.resize(picture, size, interpolation=cv2.INTER_AREA), 1.0
    x, y = middle - scale * center
    # In OpenCV, the center of the first pixel is at (0, 0).
    shift = 0.5 * factor - 0.5
    matrix = np.array([[factor, 0, x + shift], [0, factor, y + shift]])
    side = (FRAME_SIDE, FRAME_SIDE)
    opacity = cv2.warpAffine(np.full(picture.shape[:2], 255, np.uint8), matrix, side)
    shown = cv2.warpAffine(picture, matrix, side, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    frame = cv2.resize(background, side)
    frame[opacity >= HALF_OPAQUE] = shown[opacity >= HALF_OPAQUE]
    width = scale * portrait.box[2]
    return Portrait(frame, np.array([middle - width / 2, middle - height / 2, width, height]))


def is_found(detector: Detector, portrait: Portrait, long_side: int) -> bool:
    """Returns whether a detector finds the face if the input has a long side, in px."""
    box = portrait.box * long_side / max(portrait.image.shape[:2])
    rows = detector(fitted(portrait.image, long_side), MIN_SCORE)
    return len(rows) > 0 and bool(ious(rows[:, BOX], box).max() > MIN_OVERLAP)


def by_height(
    detector: Detector, sets: dict[str, list[Portrait]], backgrounds: Sequence[np.ndarray], heights: Sequence[int]
) -> str:
    """Formats the share of the portraits of each set that is found, by their height in a frame."""
    columns = [(name, side) for side in INPUT_SIDES for name in sets]
    rows = []
    for height in heights:
        frames = {
            name: [framed(face, height, backgrounds[i % len(backgrounds)]) for i, face in enumerate(faces)]
            for name, faces in sets.items()
        }
        shares = [np.mean([is_found(detector, frame, side) for frame in frames[name]]) for name, side in columns]
        rows.append((f"{height} px", *(f"{share:.2f}" for share in shares)))
    return table((f"height in {FRAME_SIDE} px", *(f"{name}, input {side}" for name, side in columns)), rows)


def whole_photos(detectors: dict[str, Detector], faces: list[Portrait]) -> str:
    """Formats the share of photos in which each detector finds the face."""
    rows = [
        (name, *(Share.of(np.array([is_found(detector, face, side) for face in faces])) for side in INPUT_SIDES))
        for name, detector in detectors.items()
    ]
    return table(("photos", *(f"input {side}" for side in INPUT_SIDES)), rows)


def by_group(detector: Detector, people: London, backgrounds: Sequence[np.ndarray]) -> str:
    """Formats the share of people whose face a detector finds, by group.

    Faces are found in the whole picture, and in a frame: at a medium height, small, and small and dark.
    """
    faces = portraits(people.faces)

    def frames(height: float, gain: float = 1.0) -> list[Portrait]:
        scenes = [framed(face, height, backgrounds[i % len(backgrounds)]) for i, face in enumerate(faces)]
        return [Portrait((scene.image * gain).astype(np.uint8), scene.box) for scene in scenes]

    small, smallest_input, largest_input = SMALL_HEIGHT_PX, min(INPUT_SIDES), max(INPUT_SIDES)
    cases = {
        f"whole picture, input {smallest_input}": (faces, smallest_input),
        f"whole picture, input {largest_input}": (faces, largest_input),
        f"{GROUP_HEIGHT_PX} px in {FRAME_SIDE}, input {smallest_input}": (frames(GROUP_HEIGHT_PX), smallest_input),
        f"{small} px, input {smallest_input}": (frames(small), smallest_input),
        f"{small} px, brightness x {DARK_GAIN}, input {smallest_input}": (frames(small, DARK_GAIN), smallest_input),
    }
    found = {name: np.array([is_found(detector, face, side) for face in part]) for name, (part, side) in cases.items()}
    rows = []
    for grouping, groups in {"": np.full(len(faces), "everyone"), **people.groups}.items():
        for name in sorted(set(groups.tolist())):
            chosen = groups == name
            rows.append((grouping, name, chosen.sum(), *(Share.of(values[chosen]) for values in found.values())))
    return table(("grouping", "group", "faces", *found), rows)
