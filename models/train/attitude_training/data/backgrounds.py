# SPDX-License-Identifier: MPL-2.0
"""Loads the backgrounds: photos of all kinds, most of them without people."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..common.pictures import archived, decoded
from .faces import split_of

# Shares of the photos, in per cent; the rest is for training.
VALIDATION_SHARE, TEST_SHARE = 7, 8


@dataclass(frozen=True)
class Backgrounds:
    """Photos of one split.

    images: (height, width, 3), BGR.
    has_faces: (n,), whether a detector found faces.
    """

    images: list[np.ndarray]
    has_faces: np.ndarray


def load(folder: Path, split: str) -> Backgrounds:
    """Loads the photos of a split from `backgrounds.tar` and `backgrounds.jsonl`."""
    folder = Path(folder)
    rows = [json.loads(line) for line in (folder / "backgrounds.jsonl").read_text().splitlines()]
    rows = [row for row in rows if split_of(row["file"], VALIDATION_SHARE, TEST_SHARE) == split]
    files = archived([folder / "backgrounds.tar"])
    return Backgrounds(
        [decoded(files[row["file"]], cv2.IMREAD_COLOR) for row in rows],
        np.array([len(row["faces"]) > 0 for row in rows], bool),
    )
