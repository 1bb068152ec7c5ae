# SPDX-License-Identifier: MPL-2.0
"""Simulates the effects of cameras and detectors on the faces that the classifier sees.

Probabilities of degradations are for a strength of 1 and fall linearly with it. They were chosen by accuracy on the
validation split, and so that each degradation occurs in every batch.
"""

import math

import cv2
import numpy as np

from ..common.pictures import blurred, compressed
from . import crop

# Height of the smallest face, in px.
MIN_HEIGHT = 14
# Probability that a face is scaled down, if it is larger than LARGE crops and otherwise. Small faces are blurred
# already.
SHRINK, SHRINK_SMALL, LARGE = 0.6, 0.2, 2
BLUR = 0.1
COMPRESSION, QUALITIES = 0.1, (25, 90)

# Share of the faces with landmarks that are cut by their landmarks; the others are cut by their box.
ALIGNED_SHARE = 0.85
# Standard deviations of a detector's errors: of landmarks, in heights of the landmarks; and of the placement: rotation
# in degrees, logarithm of the scale, shift in sides of the crop.
LANDMARK_ERROR = 0.03
ROTATION, ZOOM, SHIFT = 6, 0.05, 0.025
# Factor of the placement's errors of faces that landmarks did not align.
UNALIGNED_SPREAD = 1.3

# Light: probability, and parameters of the distributions; levels are of 0..255.
GAMMA, GAMMA_SPREAD = 0.5, 0.3
CONTRAST, CONTRAST_MEAN, CONTRAST_SPREAD, BRIGHTNESS_SPREAD = 0.5, -0.1, 0.25, 15
DARKNESS, DARK_GAINS = 0.15, (0.1, 0.8)
NOISE, NOISE_LEVELS = 0.2, (1, 8)
OCCLUSION, OCCLUSION_SIDES = 0.1, (6, 20)


def augmented(
    image: np.ndarray,
    landmarks: np.ndarray | None,
    box: np.ndarray | None,
    strength: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Cuts a crop (SIDE, SIDE), float32 0..255, of a face as the plugin does, with random changes.

    `image` is gray, uint8. `landmarks` (5, 2) and `box` (x, y, width, height) are in px, or None if the picture is
    framed like a crop. `strength`, 0 to 1, controls the probability of degradations.
    """
    has_landmarks = landmarks is not None and rng.random() < ALIGNED_SHARE
    if has_landmarks:
        size = np.ptp(landmarks[:, 1])
        shown_from_crop = crop.from_landmarks(landmarks + rng.normal(0, LANDMARK_ERROR * size, (5, 2)))
    elif box is not None:
        shown_from_crop = crop.from_box(box)
    else:
        shown_from_crop = crop.whole(image)
    shown_from_crop = placed(shown_from_crop, has_landmarks, rng)
    image, factor = degraded(image, abs(shown_from_crop[0]), strength, rng)
    m, t = shown_from_crop
    pixels = crop.cut(image, (m * factor, t * factor))
    if rng.random() < 0.5:
        pixels = pixels[:, ::-1]
    return lit(pixels, strength, rng)


def degraded(image: np.ndarray, scale: float, strength: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Degrades a picture like a poor camera. Returns it with the factor by which it was scaled.

    `scale` is the number of pixels of the picture per pixel of the crop.
    """
    factor = 1.0
    height = scale * crop.SIDE
    if rng.random() < strength * (SHRINK if height > LARGE * crop.SIDE else SHRINK_SMALL):
        wanted = math.exp(rng.uniform(math.log(MIN_HEIGHT), math.log(max(height, MIN_HEIGHT))))
        if wanted < height:
            width, rows = (max(1, round(side * wanted / height)) for side in (image.shape[1], image.shape[0]))
            image = cv2.resize(image, (width, rows), interpolation=cv2.INTER_AREA)
            factor = wanted / height
    if rng.random() < BLUR * strength:
        image = blurred(image, scale * factor, rng)
    if rng.random() < COMPRESSION * strength:
        image = compressed(image, int(rng.integers(*QUALITIES)))
    return image, factor


def placed(shown_from_crop: crop.Similarity, is_aligned: bool, rng: np.random.Generator) -> crop.Similarity:
    """Rotates, scales and moves a crop like the errors of a detector; more if landmarks did not align it."""
    m, t = shown_from_crop
    spread = 1.0 if is_aligned else UNALIGNED_SPREAD
    turn = np.exp(1j * math.radians(rng.normal(0, ROTATION * spread)))
    zoom = math.exp(rng.normal(0, ZOOM * spread))
    move = complex(*rng.normal(0, SHIFT * spread * crop.SIDE, 2))
    center = complex(crop.SIDE, crop.SIDE) / 2
    return m * turn * zoom, m * (center + move - turn * zoom * center) + t


def lit(pixels: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Changes the light, sensor noise and occlusion of a crop (SIDE, SIDE), float32 0..255."""
    if rng.random() < GAMMA * strength:
        pixels = 255 * (pixels / 255) ** math.exp(rng.normal(0, GAMMA_SPREAD))
    if rng.random() < CONTRAST * strength:
        mean = pixels.mean()
        contrast = math.exp(rng.normal(CONTRAST_MEAN, CONTRAST_SPREAD))
        pixels = (pixels - mean) * contrast + mean + rng.normal(0, BRIGHTNESS_SPREAD)
    if rng.random() < DARKNESS * strength:
        pixels = pixels * rng.uniform(*DARK_GAINS)
    if rng.random() < NOISE * strength:
        pixels = pixels + rng.normal(0, rng.uniform(*NOISE_LEVELS), pixels.shape)
    if rng.random() < OCCLUSION * strength:
        height, width = rng.integers(*OCCLUSION_SIDES, 2)
        y, x = rng.integers(0, crop.SIDE - height), rng.integers(0, crop.SIDE - width)
        pixels = pixels.copy()
        pixels[y : y + height, x : x + width] = rng.uniform(0, 255)
    return np.clip(pixels, 0, 255).astype(np.float32)
