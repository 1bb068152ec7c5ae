# SPDX-License-Identifier: MPL-2.0
"""Converts faces to the targets of the network's cells."""

import math

import numpy as np

from .detections import BOX, FIELDS, LANDMARKS, SCORE, STRIDES, UNCERTAIN

# Minimum and maximum size of faces, in cells, per level. The ranges overlap, so that both levels find faces in between.
LEVEL_SIZES = ((0, 5.5), (2.0, 5.5), (2.0, math.inf))
# Maximum distance, in cells, of a cell from the middle of a face for a full score; the score is zero at twice the
# distance.
FULL_DISTANCE = 0.75
# The teacher's scores for a target of zero and of one. The teacher's threshold of 0.6 becomes about 0.5 for the
# student.
DOUBTFUL, CERTAIN = 0.4, 0.75
# Channels of a target: those of a center map, the size of the face in cells, and the weight of the score: 0 where an
# uncertain head is.
CHANNELS = FIELDS + 2
SIZE, WEIGHT = FIELDS, FIELDS + 1


def certainty(scores: np.ndarray) -> np.ndarray:
    """Converts the teacher's scores to targets of the student, 0 to 1."""
    return np.clip((scores - DOUBTFUL) / (CERTAIN - DOUBTFUL), 0, 1)


def level_targets(rows: np.ndarray, width: int, height: int, stride: int, sizes: tuple[float, float]) -> np.ndarray:
    """Returns the targets of one level for faces (n, 15), as (CHANNELS, cells).

    `width` and `height` are those of the picture, in px; `sizes` are the limits of the sizes of faces, in cells.
    """
    columns, lines = width // stride, height // stride
    targets = np.zeros((CHANNELS, lines, columns), np.float32)
    targets[[SIZE, WEIGHT]] = 1
    # Uncertain heads come first: a face beside them counts.
    for row in rows[np.argsort(rows[:, SCORE], kind="stable")]:
        corner, sides = row[BOX][:2] / stride, row[BOX][2:] / stride
        size = math.sqrt(sides.prod())
        if not sizes[0] <= size < sizes[1]:
            continue
        center = corner + sides / 2
        low = np.clip(np.floor(center - 2 * FULL_DISTANCE - 0.5), 0, None).astype(int)
        high = np.minimum(np.ceil(center + 2 * FULL_DISTANCE + 0.5).astype(int), (columns, lines))
        if (low >= high).any():
            continue
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        distance = np.maximum(np.abs(x + 0.5 - center[0]), np.abs(y + 0.5 - center[1]))
        nearness = np.clip(2 - distance / FULL_DISTANCE, 0, 1)
        part = targets[:, low[1] : high[1], low[0] : high[0]]
        if row[SCORE] == UNCERTAIN:
            part[WEIGHT][nearness > 0] = 0
            continue
        score = certainty(row[SCORE]) * nearness
        is_better = score > part[SCORE]
        points = np.concatenate([center, row[LANDMARKS] / stride]).reshape(6, 2)
        offsets = np.stack([points[:, :1, None] - x, points[:, 1:, None] - y], 1).reshape(12, *x.shape)
        logs = np.broadcast_to(np.log(sides)[:, None, None], (2, *x.shape))
        others = np.stack([np.full_like(score, size), np.ones_like(score)])
        new = np.concatenate([score[None], offsets[:2], logs, offsets[2:], others])
        part[:] = np.where(is_better, new, part)
    return targets.reshape(CHANNELS, -1)


def targets_of(rows: np.ndarray, width: int, height: int) -> np.ndarray:
    """Returns the targets of all levels for faces (n, 15), one level after the other, (CHANNELS, cells)."""
    levels = [level_targets(rows, width, height, *level) for level in zip(STRIDES, LEVEL_SIZES)]
    return np.concatenate(levels, 1)
