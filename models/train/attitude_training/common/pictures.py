# SPDX-License-Identifier: MPL-2.0
"""Reads pictures, and degrades them as cameras do."""

import math
import tarfile
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

# Share of blurs that are out of focus; the others are motion.
OUT_OF_FOCUS_SHARE = 0.5
# Minimum and maximum extent of a blur, relative to a scale in px, and the minimum of that scale.
BLUR_EXTENTS = (0.4, 2.5)
MIN_BLUR_SCALE = 0.5


def archived(paths: Iterable[Path]) -> dict[str, bytes]:
    """Reads the files in tar archives. Returns their bytes by name."""
    files = {}
    for path in sorted(paths):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile():
                    files[member.name] = archive.extractfile(member).read()
    return files


def decoded(data: bytes, mode: int) -> np.ndarray:
    """Decodes the bytes of an image file; `mode` is one of OpenCV's `IMREAD_` constants."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), mode)


def compressed(image: np.ndarray, quality: int) -> np.ndarray:
    """Compresses a gray picture as JPEG with a quality of 0 to 100, and decodes it."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def blurred(image: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
    """Blurs a picture as out of focus or by motion, by BLUR_EXTENTS of `scale` px."""
    extent = max(scale, MIN_BLUR_SCALE) * rng.uniform(*BLUR_EXTENTS)
    if rng.random() < OUT_OF_FOCUS_SHARE:
        return cv2.GaussianBlur(image, (0, 0), extent / 2)
    length = max(3, 2 * round(extent) + 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, math.pi)
    reach = np.array([math.cos(angle), math.sin(angle)]) * (length // 2)
    ends = [tuple(round(c) for c in length // 2 + sign * reach) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Scales a picture to a width and height in px, by the mean of areas if it becomes smaller."""
    smaller = size[0] < image.shape[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)


def sheet(tiles: list[np.ndarray], columns: int) -> np.ndarray:
    """Combines pictures of one size into one picture, row by row."""
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])
