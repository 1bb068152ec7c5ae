# SPDX-License-Identifier: MPL-2.0
"""Changes faces as poses and cameras do, one condition at a time, to measure what it costs.

A change takes a gray picture (height, width), uint8, and landmarks (5, 2) in px or None, and returns both.
"""

from collections.abc import Callable

import cv2
import numpy as np

from ..common.pictures import compressed
from ..data.faces import Faces
from .crop import SIDE, TEMPLATE, placement
from .glasses import CLEAR, DARK, Glasses, with_glasses

Face = tuple[np.ndarray, np.ndarray | None]
Change = Callable[[np.ndarray, np.ndarray | None], Face]

HEIGHTS_PX = (96, 48, 32, 24, 16)
ROLLS_DEGREES = (15, 30)
BLURS_PX = (0.5, 1.0, 2.0)
JPEG_QUALITIES = (50, 20, 10)
# Height of a face that is compressed, in px: that of a face in a video call.
JPEG_HEIGHT_PX = 96
BRIGHTNESSES = (1.5, 0.5, 0.25, 0.1)


def to_height(height: int) -> Change:
    """Scales faces down to a box of `height` px."""

    def change(image: np.ndarray, landmarks: np.ndarray | None) -> Face:
        factor = height / (SIDE * abs(placement(image, landmarks)[0]))
        if factor >= 1:
            return image, landmarks
        size = [max(1, round(side * factor)) for side in image.shape[::-1]]
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return small, None if landmarks is None else landmarks * factor

    return change


def to_roll(degrees: float) -> Change:
    """Rotates faces clockwise about the middle of the picture."""

    def change(image: np.ndarray, landmarks: np.ndarray | None) -> Face:
        height, width = image.shape
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
        turned = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
        return turned, None if landmarks is None else landmarks @ matrix[:, :2].T + matrix[:, 2]

    return change


def to_blur(sigma: float) -> Change:
    """Blurs by `sigma` px of the crop."""

    def change(image: np.ndarray, landmarks: np.ndarray | None) -> Face:
        return cv2.GaussianBlur(image, (0, 0), sigma * abs(placement(image, landmarks)[0])), landmarks

    return change


def to_jpeg(quality: int) -> Change:
    """Scales faces down to JPEG_HEIGHT_PX and compresses them as JPEG."""

    def change(image: np.ndarray, landmarks: np.ndarray | None) -> Face:
        image, landmarks = to_height(JPEG_HEIGHT_PX)(image, landmarks)
        return compressed(image, quality), landmarks

    return change


def to_brightness(factor: float) -> Change:
    """Multiplies luma by a factor."""

    def change(image: np.ndarray, landmarks: np.ndarray | None) -> Face:
        return np.clip(image * factor, 0, 255).astype(np.uint8), landmarks

    return change


def to_glasses(glasses: Glasses) -> Change:
    """Draws glasses onto faces."""

    def change(image: np.ndarray, landmarks: np.ndarray | None) -> Face:
        points = TEMPLATE * image.shape[0] if landmarks is None else landmarks
        return with_glasses(image, points, glasses), landmarks

    return change


CONDITIONS: dict[str, Change] = {
    "unchanged": lambda image, landmarks: (image, landmarks),
    **{f"{height} px high": to_height(height) for height in HEIGHTS_PX},
    **{f"rolled by {degrees}°": to_roll(degrees) for degrees in ROLLS_DEGREES},
    **{f"blurred, σ {sigma} px of the crop": to_blur(sigma) for sigma in BLURS_PX},
    **{f"JPEG quality {quality}": to_jpeg(quality) for quality in JPEG_QUALITIES},
    **{f"brightness x {factor}": to_brightness(factor) for factor in BRIGHTNESSES},
    "drawn glasses": to_glasses(CLEAR),
    "drawn sunglasses": to_glasses(DARK),
}


def changed(faces: Faces, change: Change) -> Faces:
    """Returns the faces under a condition."""
    pairs = [change(image, landmarks) for image, landmarks in zip(faces.images, faces.landmarks)]
    return Faces(
        **{**vars(faces), "images": [image for image, _ in pairs], "landmarks": [landmarks for _, landmarks in pairs]}
    )
