# SPDX-License-Identifier: MPL-2.0
"""Measures faces by their five landmarks: left eye, right eye, nose, left and right corner of the mouth."""

import numpy as np

# Order of the landmarks of a mirrored face.
MIRRORED = [1, 0, 2, 4, 3]
# `turned_away` of a head from which on it shows one cheek only.
TURNED_AWAY = 0.24
# Squared distance of the eyes from the mouth, in px, below which a face has no direction.
MIN_SQUARED_LENGTH = 1e-6
# The mean face in distances of the eyes: x to the right of the picture, y down, z towards the camera; the model of
# src/attitude/pose.rs.
FACE = np.array(
    [[-0.5, -0.526, -0.11], [0.5, -0.526, -0.11], [0, 0.068, 0.34], [-0.45, 0.492, -0.06], [0.45, 0.492, -0.06]]
)


def turned_away(landmarks: np.ndarray) -> float:
    """Returns how far a head is turned to one side, from landmarks (5, 2).

    It is the sideways distance of the nose from the middle of the face, in distances of the eyes from the mouth: 0 for
    a frontal face, about 0.5 for a profile.
    """
    eyes, nose, mouth = landmarks[:2].mean(0), landmarks[2], landmarks[3:].mean(0)
    (x, y), (nose_x, nose_y) = mouth - eyes, nose - (eyes + mouth) / 2
    return abs(x * nose_y - y * nose_x) / max(x * x + y * y, MIN_SQUARED_LENGTH)


def camera_angle(landmarks: np.ndarray) -> float:
    """Returns the angle between the direction of a face and the camera, in degrees, from landmarks (5, 2).

    It is that of the head pose of src/attitude/pose.rs; 90 if the landmarks are on a line or mirrored.
    """
    rows = np.linalg.lstsq(FACE, landmarks - landmarks.mean(0), rcond=None)[0].T
    u, scales, v = np.linalg.svd(rows, full_matrices=False)
    if scales[1] <= MIN_SQUARED_LENGTH * scales[0]:
        return 90.0
    right, down = u @ v
    return float(np.degrees(np.arccos(np.clip(np.cross(right, down)[2], 0, 1))))
