# SPDX-License-Identifier: MPL-2.0
"""Decodes the outputs of detectors like src/attitude/detection.rs and the heads in src/inference.

Faces are rows (n, 15), float32: score; x, y, width and height of the box; x and y of five landmarks, in pixels.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..common.inference import session

# Strides of the maps, in px of the input.
STRIDES = (8, 16, 32)
# Columns of a row.
SCORE, BOX, LANDMARKS = 0, slice(1, 5), slice(5, 15)
FIELDS = 15
# Score of a head in a composite that need not be found: the teacher misses it, and it may be too small, turned or
# covered. It is neither a face nor background.
UNCERTAIN = 0.0

# Intersection over union from which on two detections are the same face, and the maximum number of detections before
# they are merged; both as in the plugin.
OVERLAP = 0.4
MAX_CANDIDATES = 2000
# Input sides are multiples of this.
MULTIPLE = 32

# Finds faces with a minimum score in a picture (height, width, 3), BGR, or (height, width), luma, whose sides are
# multiples of MULTIPLE. Returns rows (n, 15).
Detector = Callable[[np.ndarray, float], np.ndarray]


def from_cells(cells: np.ndarray, columns: int, stride: int, threshold: float) -> np.ndarray:
    """Decodes the faces of one level from `cells` (rows * columns, 15).

    The channels are the score; the offset of the center, in cells; the logarithms of width and height, in cells; and
    the offsets of the landmarks, in cells.
    """
    chosen = np.flatnonzero(cells[:, SCORE] >= threshold)
    cells = cells[chosen]
    corners = np.stack([chosen % columns, chosen // columns], 1)
    sizes = np.exp(cells[:, 3:5]) * stride
    centers = (corners + cells[:, 1:3]) * stride
    landmarks = (np.tile(corners, 5) + cells[:, LANDMARKS]) * stride
    return np.hstack([cells[:, :1], centers - sizes / 2, sizes, landmarks]).astype(np.float32)


def ious(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the intersection over union of boxes (n, 4) with one box (4,)."""
    top_left = np.maximum(boxes[:, :2], box[:2])
    bottom_right = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    common = np.clip(bottom_right - top_left, 0, None).prod(1)
    return common / (boxes[:, 2:].prod(1) + box[2:].prod() - common)


def without_overlaps(candidates: np.ndarray) -> np.ndarray:
    """Merges each highest-scoring face with the faces that overlap it, weighted by score; highest score first."""
    order = np.argsort(-candidates[:, SCORE], kind="stable")
    left = candidates[order][:MAX_CANDIDATES]
    kept = []
    while len(left):
        is_same = ious(left[:, BOX], left[0, BOX]) > OVERLAP
        is_same[0] = True
        same = left[is_same]
        kept.append(np.average(same, axis=0, weights=same[:, SCORE]))
        kept[-1][SCORE] = left[0, SCORE]
        left = left[~is_same]
    return np.array(kept, np.float32).reshape(-1, FIELDS)


def are_among(boxes: np.ndarray, others: np.ndarray, overlap: float) -> np.ndarray:
    """Returns which boxes (n, 4) overlap one of the others (m, 4) by more than `overlap`, an IoU."""
    return np.array([(ious(others, box) > overlap).any() for box in boxes], bool)


class Yunet:
    """Finds faces with YuNet in pictures (height, width, 3), BGR."""

    def __init__(self, path: Path) -> None:
        self.session = session(path)
        self.names = [f"{part}_{stride}" for stride in STRIDES for part in ("cls", "obj", "bbox", "kps")]

    def __call__(self, picture: np.ndarray, threshold: float) -> np.ndarray:
        tensor = picture.transpose(2, 0, 1)[None].astype(np.float32)
        outputs = [output[0] for output in self.session.run(self.names, {"input": tensor})]
        levels = []
        for index, stride in enumerate(STRIDES):
            cls, obj, bbox, kps = outputs[4 * index :][:4]
            score = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))
            levels.append(from_cells(np.hstack([score, bbox, kps]), picture.shape[1] // stride, stride, threshold))
        return without_overlaps(np.concatenate(levels))


class CenterMaps:
    """Finds faces with a detector that has the head `center-maps`."""

    def __init__(self, path: Path) -> None:
        self.session = session(path)
        self.names = [f"map_{stride}" for stride in STRIDES]

    def __call__(self, picture: np.ndarray, threshold: float) -> np.ndarray:
        luma = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        maps = self.session.run(self.names, {"luma": luma[None, None].astype(np.float32)})
        return from_maps([level[0] for level in maps], threshold)


def from_maps(maps: Sequence[np.ndarray], threshold: float) -> np.ndarray:
    """Decodes the faces of one picture from three maps (15, rows, columns)."""
    levels = [
        from_cells(level.reshape(FIELDS, -1).T, level.shape[2], stride, threshold)
        for level, stride in zip(maps, STRIDES)
    ]
    return without_overlaps(np.concatenate(levels))
