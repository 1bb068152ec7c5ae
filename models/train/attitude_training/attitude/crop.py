# SPDX-License-Identifier: MPL-2.0
"""Cuts crops like the plugin, with the geometry and resampling of src/attitude/crop.

A similarity is a pair of complex numbers (m, t), float64, that maps a point z = x + iy to m z + t. Coordinates are
continuous: the center of the first pixel is at (0.5, 0.5). `shown_from_crop` maps coordinates of the crop to the
picture.
"""

import cv2
import numpy as np

# Side of a crop, in px.
SIDE = 48
# Position of FER2013's pictures relative to the box of a detector, in heights of the box, and their median landmarks
# in sides of the crop, as in models/attitude.toml.
BOX_HEIGHT, BOX_CENTER = 1.0, (0.0, -0.025)
TEMPLATE = np.array([[0.313, 0.387], [0.686, 0.385], [0.499, 0.583], [0.341, 0.752], [0.661, 0.750]])

# Samples per pixel of the crop and axis if the picture is larger than the crop, at most; from NEAREST_TAPS on, samples
# are not interpolated.
MAX_TAPS = 4
NEAREST_TAPS = 3

Similarity = tuple[complex, complex]


def from_landmarks(landmarks: np.ndarray, side: int = SIDE) -> Similarity:
    """Returns shown_from_crop of a face with five landmarks (5, 2) in px, by least squares (Umeyama, 1991)."""
    p = landmarks @ (1, 1j)
    q = TEMPLATE @ (1, 1j) * side
    centered = p - p.mean()
    m = (centered.conj() @ (q - q.mean())) / (centered.conj() @ centered).real
    return 1 / m, -(q.mean() - m * p.mean()) / m


def from_box(box: np.ndarray) -> Similarity:
    """Returns shown_from_crop of a face with a box (x, y, width, height) in px but without landmarks."""
    x, y, width, height = box
    scale = BOX_HEIGHT * height / SIDE
    center = complex(x + width / 2 + BOX_CENTER[0] * height, y + height / 2 + BOX_CENTER[1] * height)
    return scale + 0j, center - scale * complex(SIDE, SIDE) / 2


def whole(image: np.ndarray, side: int = SIDE) -> Similarity:
    """Returns shown_from_crop of a picture that is framed like a crop."""
    scale = image.shape[0] / side
    return scale + 0j, 0j


def placement(image: np.ndarray, landmarks: np.ndarray | None, side: int = SIDE) -> Similarity:
    """Returns shown_from_crop by landmarks, or of a picture that is framed like a crop if there are none."""
    return whole(image, side) if landmarks is None else from_landmarks(landmarks, side)


def cut(image: np.ndarray, shown_from_crop: Similarity, side: int = SIDE) -> np.ndarray:
    """Cuts a crop (side, side), float32 0..255, from a gray picture (height, width), uint8."""
    m, t = shown_from_crop
    taps = int(np.clip(np.ceil(abs(m)), 1, MAX_TAPS))
    step = m / taps
    # In OpenCV, the center of the first pixel is at (0, 0).
    first = t + step * (0.5 + 0.5j) - (0.5 + 0.5j)
    matrix = np.array([[step.real, -step.imag, first.real], [step.imag, step.real, first.imag]])
    interpolation = cv2.INTER_NEAREST if taps >= NEAREST_TAPS else cv2.INTER_LINEAR
    samples = cv2.warpAffine(
        image,
        matrix,
        (side * taps, side * taps),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    if taps == 1:
        return samples
    return samples.reshape(side, taps, side, taps).mean((1, 3))


def crops(images: list[np.ndarray], landmarks: list[np.ndarray | None]) -> np.ndarray:
    """Cuts faces like the plugin, without augmentation, (n, 1, SIDE, SIDE), float32 0..255."""
    cuts = [cut(image, placement(image, points)) for image, points in zip(images, landmarks)]
    return np.stack(cuts)[:, None] if cuts else np.empty((0, 1, SIDE, SIDE), np.float32)
