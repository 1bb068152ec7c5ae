# SPDX-License-Identifier: MPL-2.0
"""Measures faces by their five landmarks: left eye, right eye, nose, left and right corner of the mouth."""

import numpy as np

# Order of the landmarks of a mirrored face.
MIRRORED = [1, 0, 2, 4, 3]
# `turned_away` of a head from which on it shows one cheek only.
TURNED_AWAY = 0.24
# Squared distance of the eyes from the mouth, in px, below which a face has no direction.
MIN_SQUARED_LENGTH = 1e-6


def turned_away(landmarks: np.ndarray) -> float:
    """Returns how far a head is turned to one side, from landmarks (5, 2).

    It is the sideways distance of the nose from the middle of the face, in distances of the eyes from the mouth: 0 for
    a frontal face, about 0.5 for a profile.
    """
    eyes, nose, mouth = landmarks[:2].mean(0), landmarks[2], landmarks[3:].mean(0)
    (x, y), (nose_x, nose_y) = mouth - eyes, nose - (eyes + mouth) / 2
    return abs(x * nose_y - y * nose_x) / max(x * x + y * y, MIN_SQUARED_LENGTH)
