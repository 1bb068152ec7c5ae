# SPDX-License-Identifier: MPL-2.0
"""Defines labeled faces, and the splits of data sets."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from .labels import bucketed

TRAIN, VALIDATION, TEST = "train", "validation", "test"
# Tolerance of comparisons with shares of votes, which are float32.
ROUNDING = 1e-6


def split_of(name: str, validation_share: int, test_share: int) -> str:
    """Returns the split of an item by a hash of its name; shares are in per cent."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") % 100
    if share < test_share:
        return TEST
    return VALIDATION if share < test_share + validation_share else TRAIN


@dataclass(frozen=True)
class Faces:
    """Faces of one set.

    images: pictures, uint8, gray (height, width) or BGR (height, width, 3).
    landmarks: (5, 2) in px, or None if a picture is framed like FER2013's.
    boxes: x, y, width, height in px, or None if a picture is framed like FER2013's.
    attitude: (n,), the labels as indices into ATTITUDES.
    votes: (n, 8), the shares of voters for EMOTIONS; rows add up to at most 1.
    names: the names in the set.
    split: (n,), TRAIN, VALIDATION or TEST.
    """

    images: list[np.ndarray]
    landmarks: list[np.ndarray | None]
    boxes: list[np.ndarray | None]
    attitude: np.ndarray
    votes: np.ndarray
    names: list[str]
    split: np.ndarray

    def at(self, indices: Sequence[int] | np.ndarray) -> "Faces":
        """Returns the faces with these indices, in this order."""
        indices = np.asarray(indices, int)

        def pick(values: list | np.ndarray) -> list | np.ndarray:
            return values[indices] if isinstance(values, np.ndarray) else [values[i] for i in indices]

        return replace(self, **{field.name: pick(getattr(self, field.name)) for field in fields(self)})

    def of(self, split: str) -> "Faces":
        """Returns the faces of one split."""
        return self.at(np.flatnonzero(self.split == split))

    def voted_attitudes(self) -> np.ndarray:
        """Returns the shares of voters for ATTITUDES (n, 3)."""
        return bucketed(self.votes)

    def majority(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the attitude that most voters chose (n,), and whether no other has as many votes (n,)."""
        shares = self.voted_attitudes()
        ordered = np.sort(shares, 1)
        return shares.argmax(1), ordered[:, -1] > ordered[:, -2] + ROUNDING

    def agree(self, share: float) -> np.ndarray:
        """Returns whether at least this share of all voters chose the same attitude (n,)."""
        return self.voted_attitudes().max(1) >= share - ROUNDING

    def __len__(self) -> int:
        return len(self.images)
