# SPDX-License-Identifier: MPL-2.0
"""Changes composites as cameras do. Pictures are luma (height, width), uint8; faces are rows (n, 15)."""

import math

import cv2
import numpy as np

from ..common.pictures import blurred, compressed
from ..data.landmarks import MIRRORED
from .detections import BOX, LANDMARKS

# Minimum scale of a picture that is padded on two sides.
MIN_SCALE = 0.5
# Degradations: probability, and parameters of the distributions; levels are of 0..255.
BLUR, BLUR_SCALES = 0.15, (0.3, 1)
GAMMA, GAMMA_SPREAD = 0.4, 0.3
CONTRAST, CONTRASTS, BRIGHTNESS_SPREAD = 0.3, (0.3, 1.2), 15
DARKNESS, MIN_LIGHT = 0.3, 0.12
NOISE, MAX_NOISE = 0.35, 20
COMPRESSION, QUALITIES = 0.15, (20, 80)


def mirrored(image: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mirrors a picture and its faces."""
    rows = rows.copy()
    width = image.shape[1]
    x, _, widths, _ = rows[:, BOX].T
    rows[:, 1] = width - x - widths
    landmarks = rows[:, LANDMARKS].reshape(-1, 5, 2)[:, MIRRORED]
    rows[:, LANDMARKS] = (landmarks * (-1, 1) + (width, 0)).reshape(-1, 10)
    return image[:, ::-1], rows


def shrunk(image: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scales a picture down into the top left of a black one, like the padding of the plugin."""
    height, width = image.shape
    scale = rng.uniform(MIN_SCALE, 1)
    size = round(width * scale), round(height * scale)
    small = np.zeros_like(image)
    small[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    rows = rows.copy()
    rows[:, 1:] *= scale
    return small, rows


def filmed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Degrades a picture like cameras without enough light, focus or bandwidth."""
    if rng.random() < BLUR:
        image = blurred(image, rng.uniform(*BLUR_SCALES), rng)
    pixels = image.astype(np.float32)
    if rng.random() < GAMMA:
        pixels = 255 * (pixels / 255) ** math.exp(rng.normal(0, GAMMA_SPREAD))
    if rng.random() < CONTRAST:
        mean = pixels.mean()
        pixels = (pixels - mean) * rng.uniform(*CONTRASTS) + mean + rng.normal(0, BRIGHTNESS_SPREAD)
    if rng.random() < DARKNESS:
        pixels *= math.exp(rng.uniform(math.log(MIN_LIGHT), 0))
    if rng.random() < NOISE:
        sigma = math.exp(rng.uniform(0, math.log(MAX_NOISE)))
        pixels += sigma * rng.standard_normal(pixels.shape, np.float32)
    image = np.clip(pixels, 0, 255).astype(np.uint8)
    return compressed(image, int(rng.integers(*QUALITIES))) if rng.random() < COMPRESSION else image
