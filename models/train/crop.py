# SPDX-License-Identifier: MPL-2.0
"""Cuts crops like the plugin, with the geometry and resampling of src/attitude/crop.

A similarity is a pair of complex numbers (m, t), float64, that maps a point z = x + iy to m z + t. Coordinates are
continuous: the centre of the first pixel is at (0.5, 0.5). `shown_from_crop` maps coordinates of the crop to the
picture.
"""

import cv2
import numpy as np

SIDE = 48
# Position of FER2013's pictures relative to the box of a detector, and median landmarks, as in models/attitude.toml.
BOX_HEIGHT, BOX_CENTER = 1.0, (0.0, -0.025)
TEMPLATE = np.array([[0.313, 0.387], [0.686, 0.385], [0.499, 0.583], [0.341, 0.752], [0.661, 0.750]])

MAX_TAPS = 4
NEAREST_TAPS = 3


def from_landmarks(landmarks, side=SIDE):
    """Returns shown_from_crop of a face with five landmarks (5, 2) in pixels, by Umeyama's least squares."""
    p = landmarks @ (1, 1j)
    q = TEMPLATE @ (1, 1j) * side
    centred = p - p.mean()
    m = (centred.conj() @ (q - q.mean())) / (centred.conj() @ centred).real
    return 1 / m, -(q.mean() - m * p.mean()) / m


def from_box(box):
    """Returns shown_from_crop of a face with a box (x, y, width, height) but without landmarks."""
    x, y, width, height = box
    scale = BOX_HEIGHT * height / SIDE
    center = complex(x + width / 2 + BOX_CENTER[0] * height, y + height / 2 + BOX_CENTER[1] * height)
    return scale + 0j, center - scale * complex(SIDE, SIDE) / 2


def whole(image, side=SIDE):
    """Returns shown_from_crop of a picture that is framed like a crop."""
    scale = image.shape[0] / side
    return scale + 0j, 0j


def cut(image, shown_from_crop, side=SIDE):
    """Cuts a crop (side, side), float32 0..255, from a grey picture (height, width), uint8."""
    m, t = shown_from_crop
    taps = int(np.clip(np.ceil(abs(m)), 1, MAX_TAPS))
    step = m / taps
    # In OpenCV, the centre of the first pixel is at (0, 0).
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
