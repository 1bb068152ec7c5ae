# SPDX-License-Identifier: MPL-2.0
"""Crops as the plugin cuts them: the geometry and resampling of src/analysis/crop.rs.

A similarity is a complex pair (m, t), float64: a point z = x + iy becomes m z + t. Coordinates are continuous: the centre
of the first pixel is at (0.5, 0.5). `shown_from_crop` brings a crop's coordinates to the picture's.
"""

import cv2
import numpy as np

SIDE = 48
# Where FER2013's pictures lie against a detector's box, and its median landmarks; as in models/attitude.toml.
BOX_HEIGHT, BOX_CENTER = 1.0, (0.0, -0.025)
TEMPLATE = np.array([[0.313, 0.387], [0.686, 0.385], [0.499, 0.583], [0.341, 0.752], [0.661, 0.750]])

MAX_TAPS = 4
NEAREST_TAPS = 3


def from_landmarks(landmarks, side=SIDE):
    """shown_from_crop of a face with five landmarks, (5, 2) in pixels: Umeyama's least squares."""
    p = landmarks @ (1, 1j)
    q = TEMPLATE @ (1, 1j) * side
    centred = p - p.mean()
    m = (centred.conj() @ (q - q.mean())) / (centred.conj() @ centred).real
    return 1 / m, -(q.mean() - m * p.mean()) / m


def from_box(box):
    """shown_from_crop of a face of which only the box (x, y, width, height) is known."""
    x, y, width, height = box
    scale = BOX_HEIGHT * height / SIDE
    center = complex(x + width / 2 + BOX_CENTER[0] * height, y + height / 2 + BOX_CENTER[1] * height)
    return scale + 0j, center - scale * complex(SIDE, SIDE) / 2


def whole(image, side=SIDE):
    """shown_from_crop of a picture that is framed as a crop is."""
    scale = image.shape[0] / side
    return scale + 0j, 0j


def cut(image, shown_from_crop, side=SIDE):
    """The crop (side, side), float32 0..255, of a grey picture (height, width), uint8."""
    m, t = shown_from_crop
    taps = int(np.clip(np.ceil(abs(m)), 1, MAX_TAPS))
    step = m / taps
    # OpenCV counts from the centres of pixels.
    first = t + step * (0.5 + 0.5j) - (0.5 + 0.5j)
    matrix = np.array([[step.real, -step.imag, first.real], [step.imag, step.real, first.imag]])
    how = cv2.INTER_NEAREST if taps >= NEAREST_TAPS else cv2.INTER_LINEAR
    samples = cv2.warpAffine(
        image, matrix, (side * taps, side * taps), flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    if taps == 1:
        return samples
    return samples.reshape(side, taps, side, taps).mean((1, 3))
