# SPDX-License-Identifier: MPL-2.0
"""Loads FER2013 with the votes of FER+."""

import hashlib
from pathlib import Path

import numpy as np

from .faces import TEST, TRAIN, VALIDATION, Faces
from .labels import ATTITUDE_OF_FER2013, EMOTIONS, NEGATIVE

# Side of the pictures, in px.
SIDE = 48


def load(folder: Path) -> Faces:
    """Loads the files `fer2013-*.npz`.

    The PublicTest rows are halved between validation and test, by the parity of a hash of their pixels. A picture that
    is both in Training and PublicTest is treated as PublicTest.
    """
    parts = [np.load(path) for path in sorted(Path(folder).glob("fer2013-*.npz"))]
    if not parts:
        raise FileNotFoundError(f"{folder}: no fer2013-*.npz; see models/train/README.md")
    images, usage, labels, votes, names = (
        np.concatenate([part[key] for part in parts]) for key in ("images", "usage", "label", "votes", "name")
    )
    hashes = [hashlib.sha256(image.tobytes()).digest() for image in images]
    held_out = {digest for digest, kind in zip(hashes, usage) if kind != "Training"}
    split = np.array([(VALIDATION, TEST)[d[0] & 1] if d in held_out else TRAIN for d in hashes])
    votes = votes.astype(np.float32)
    return Faces(
        images=list(images),
        landmarks=[None] * len(images),
        boxes=[None] * len(images),
        attitude=np.array([ATTITUDE_OF_FER2013.get(label, NEGATIVE) for label in labels]),
        votes=votes[:, : len(EMOTIONS)] / votes.sum(1, keepdims=True),
        names=[str(name) for name in names],
        split=split,
    )
