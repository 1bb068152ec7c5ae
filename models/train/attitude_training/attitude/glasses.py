# SPDX-License-Identifier: MPL-2.0
"""Draws glasses onto faces, because the data do not say who wears them, and few people in them do.

The glasses cast no shadow, reflect nothing and have no arms. Lengths are in distances of the eyes.
"""

from dataclasses import dataclass

import cv2
import numpy as np

# Positions in drawings have this many fractional bits.
FRACTION_BITS = 4
# Points of the outline of a lens.
OUTLINE = 32
# Probability that a face gets glasses in training, and the share of sunglasses among them.
WORN, DARK_SHARE = 0.15, 0.25


@dataclass(frozen=True)
class Glasses:
    """The look of glasses.

    extent: half the width and half the height of a lens.
    drop: how far below the eye the middle of the lens is.
    roundness: exponent of the outline, a superellipse: 2 is an ellipse, more is like a rectangle with round corners.
    thickness: the thickness of the frame.
    luma: that of the frame, 0 to 255.
    light: the share of the light that the lenses leave, 0 to 1.
    """

    extent: tuple[float, float] = (0.38, 0.3)
    drop: float = 0.06
    roundness: float = 2.0
    thickness: float = 0.06
    luma: float = 30.0
    light: float = 1.0


CLEAR, DARK = Glasses(), Glasses(light=0.15)


def random_glasses(rng: np.random.Generator) -> Glasses:
    """Chooses glasses: mostly clear ones, from thin metal to thick plastic."""
    return Glasses(
        extent=(rng.uniform(0.3, 0.46), rng.uniform(0.2, 0.4)),
        drop=rng.uniform(0, 0.12),
        roundness=rng.uniform(2, 5),
        thickness=rng.uniform(0.02, 0.09),
        luma=rng.choice([rng.uniform(0, 60), rng.uniform(60, 220)], p=[0.7, 0.3]),
        light=rng.uniform(0.05, 0.5) if rng.random() < DARK_SHARE else rng.uniform(0.8, 1),
    )


def with_glasses(image: np.ndarray, landmarks: np.ndarray, glasses: Glasses) -> np.ndarray:
    """Draws glasses on a face with landmarks (5, 2), in px, in a gray picture (height, width), uint8."""
    eyes = landmarks[:2]
    across = eyes[1] - eyes[0]
    down = np.array([-across[1], across[0]])
    angles = np.linspace(0, 2 * np.pi, OUTLINE, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    outline = np.sign(circle) * np.abs(circle) ** (2 / glasses.roundness) * glasses.extent
    lens = outline @ np.stack([across, down])
    centers = eyes + glasses.drop * down
    bridge = centers + np.array([[1], [-1]]) * glasses.extent[0] * across

    lenses, frame = np.zeros_like(image), np.zeros_like(image)
    thickness = max(1, round(glasses.thickness * float(np.hypot(*across))))
    outlines = [_fixed(center + lens) for center in centers]
    cv2.fillPoly(lenses, outlines, 255, cv2.LINE_AA, FRACTION_BITS)
    cv2.polylines(frame, outlines, True, 255, thickness, cv2.LINE_AA, FRACTION_BITS)
    cv2.polylines(frame, [_fixed(bridge)], False, 255, thickness, cv2.LINE_AA, FRACTION_BITS)
    pixels = image * (1 - (1 - glasses.light) * (lenses / 255))
    pixels += (glasses.luma - pixels) * (frame / 255)
    return pixels.astype(np.uint8)


def _fixed(points: np.ndarray) -> np.ndarray:
    """Converts points (n, 2) in px, whose first pixel has its center at (0.5, 0.5), to OpenCV's fixed point."""
    return np.round((points - 0.5) * 2**FRACTION_BITS).astype(np.int32)


def sometimes_with_glasses(image: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws glasses on some faces at random."""
    return with_glasses(image, landmarks, random_glasses(rng)) if rng.random() < WORN else image
