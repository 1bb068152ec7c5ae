# SPDX-License-Identifier: MPL-2.0
"""Bends the mouths of neutral faces, because few training faces have a faint smile.

Voters mark a smile if it is plain. People who are asked to smile often raise the corners of their closed mouth a
little. A mouth whose corners are low by nature is not a sad one.
"""

import cv2
import numpy as np

from ..data.labels import EMOTIONS

# Probability that the mouth of a neutral face is bent, and the share of neutral in the target of such a face.
BENT, MIN_NEUTRAL = 0.4, 0.7
# Range of the amount; 1 is the smile of a closed mouth, negative amounts lower the corners.
AMOUNTS = (-0.6, 1.5)
# Amounts from which on a mouth begins to smile, and from which on it does.
FAINT, PLAIN = 0.1, 0.8
# Share of the happiness of a plain smile.
PLAIN_HAPPINESS = 0.9
HAPPINESS, NEUTRAL = EMOTIONS.index("happiness"), EMOTIONS.index("neutral")

# Displacements for an amount of 1, as (position, vector, reach), in widths of the mouth, with x outwards and y
# downwards from a corner of the mouth: the corner itself, and the cheek above it; and of the middle of the mouth.
SIDES = (((0.0, 0.0), (0.09, -0.13), 0.26), ((0.1, -0.55), (0.02, -0.06), 0.35))
MIDDLE = ((0.0, 0.0), (0.0, 0.03), 0.25)


def bent(image: np.ndarray, landmarks: np.ndarray, amount: float) -> np.ndarray:
    """Bends the mouth in a gray picture (height, width), uint8, of a face with landmarks (5, 2) in px."""
    eyes, corners = landmarks[:2].mean(0), landmarks[3:]
    across = corners[1] - corners[0]
    width = float(np.hypot(*across))
    if width < 1:
        return image
    right = across / width
    down = np.array([-right[1], right[0]])
    middle = corners.mean(0)
    if (middle - eyes) @ down < 0:
        down = -down
    pushes = [(middle, right, *MIDDLE)]
    for corner, outwards in ((corners[0], -right), (corners[1], right)):
        pushes += [(corner, outwards, *side) for side in SIDES]

    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    from_x, from_y = x.copy(), y.copy()
    for origin, outwards, position, vector, reach in pushes:
        center = origin + width * (position[0] * outwards + position[1] * down)
        moved = amount * width * (vector[0] * outwards + vector[1] * down)
        weight = np.exp(((x - center[0]) ** 2 + (y - center[1]) ** 2) / (-2 * (reach * width) ** 2))
        from_x -= weight * np.float32(moved[0])
        from_y -= weight * np.float32(moved[1])
    return cv2.remap(image, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def happiness(amount: float) -> float:
    """Returns how much of a neutral face's target becomes happiness when its mouth is bent by an amount."""
    return PLAIN_HAPPINESS * float(np.clip((amount - FAINT) / (PLAIN - FAINT), 0, 1))


def sometimes_bent(
    image: np.ndarray, landmarks: np.ndarray, target: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Bends the mouth of some neutral faces at random. Returns the picture and the target (8,)."""
    if target[NEUTRAL] < MIN_NEUTRAL or rng.random() >= BENT:
        return image, target
    amount = rng.uniform(*AMOUNTS)
    share = np.float32(happiness(amount))
    smiling = np.eye(len(EMOTIONS), dtype=np.float32)[HAPPINESS]
    return bent(image, landmarks, amount), (1 - share) * target + share * smiling
