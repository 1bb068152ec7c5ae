# SPDX-License-Identifier: MPL-2.0
"""Simulates the effects of cameras and detectors on the faces that the classifier sees."""

import math

import cv2
import numpy as np

import crop

# Height of the smallest face, in px.
MIN_HEIGHT = 14


def degraded(image, scale, strength, rng):
    """Degrades a picture like a poor camera. Returns it with the factor by which it was scaled.

    `scale` is the number of pixels of the picture per pixel of the crop.
    """
    factor = 1.0
    height = scale * crop.SIDE
    if rng.random() < strength * (0.6 if height > 2 * crop.SIDE else 0.2):
        wanted = math.exp(rng.uniform(math.log(MIN_HEIGHT), math.log(max(height, MIN_HEIGHT))))
        if wanted < height:
            width, rows = (max(1, round(side * wanted / height)) for side in (image.shape[1], image.shape[0]))
            image = cv2.resize(image, (width, rows), interpolation=cv2.INTER_AREA)
            factor = wanted / height
    if rng.random() < 0.1 * strength:
        image = blurred(image, scale * factor, rng)
    if rng.random() < 0.1 * strength:
        quality = int(rng.integers(25, 90))
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    return image, factor


def blurred(image, scale, rng):
    """Blurs a picture as out of focus or by motion, by up to 2.5 pixels of the crop."""
    extent = max(scale, 0.5) * rng.uniform(0.4, 2.5)
    if rng.random() < 0.5:
        return cv2.GaussianBlur(image, (0, 0), extent / 2)
    length = max(3, 2 * round(extent) + 1)
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, math.pi)
    reach = np.array([math.cos(angle), math.sin(angle)]) * (length // 2)
    ends = [tuple(round(c) for c in length // 2 + sign * reach) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def placed(shown_from_crop, is_aligned, rng):
    """Rotates, scales and moves a crop like the errors of a detector; more if landmarks did not align it."""
    m, t = shown_from_crop
    spread = 1.0 if is_aligned else 1.3
    turn = np.exp(1j * math.radians(rng.normal(0, 6 * spread)))
    zoom = math.exp(rng.normal(0, 0.05 * spread))
    move = complex(*rng.normal(0, 0.025 * spread * crop.SIDE, 2))
    center = complex(crop.SIDE, crop.SIDE) / 2
    return m * turn * zoom, m * (center + move - turn * zoom * center) + t


def lit(pixels, strength, rng):
    """Changes the light, sensor noise and occlusion of a crop (float32, 0..255)."""
    if rng.random() < 0.5 * strength:
        pixels = 255 * (pixels / 255) ** math.exp(rng.normal(0, 0.3))
    if rng.random() < 0.5 * strength:
        mean = pixels.mean()
        pixels = (pixels - mean) * math.exp(rng.normal(-0.1, 0.25)) + mean + rng.normal(0, 15)
    if rng.random() < 0.15 * strength:
        pixels = pixels * rng.uniform(0.1, 0.8)
    if rng.random() < 0.2 * strength:
        pixels = pixels + rng.normal(0, rng.uniform(1, 8), pixels.shape)
    if rng.random() < 0.1 * strength:
        height, width = rng.integers(6, 20, 2)
        y, x = rng.integers(0, crop.SIDE - height), rng.integers(0, crop.SIDE - width)
        pixels = pixels.copy()
        pixels[y : y + height, x : x + width] = rng.uniform(0, 255)
    return np.clip(pixels, 0, 255).astype(np.float32)


def augmented(image, landmarks, box, strength, rng):
    """Cuts a crop (SIDE, SIDE), float32 0..255, of a face as the plugin does, with random changes.

    `strength`, 0 to 1, controls the probability of degradations.
    """
    has_landmarks = landmarks is not None and rng.random() < 0.85
    if has_landmarks:
        size = np.ptp(landmarks[:, 1])
        shown_from_crop = crop.from_landmarks(landmarks + rng.normal(0, 0.03 * size, (5, 2)))
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
