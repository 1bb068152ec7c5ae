# SPDX-License-Identifier: MPL-2.0
"""Loads the photos of github.com/muxspace/facial_expressions, the second set."""

import json
from pathlib import Path

import cv2
import numpy as np

from ..common.pictures import archived, decoded
from .faces import Faces, split_of
from .labels import ATTITUDE_OF_EMOTION, EMOTIONS

# Shares of the identities, in per cent; the rest is for training.
VALIDATION_SHARE, TEST_SHARE = 6, 6


def load(folder: Path, mode: int = cv2.IMREAD_GRAYSCALE) -> Faces:
    """Loads the photos in which a face was found, from `muxspace-*.tar` and `muxspace.jsonl`.

    All photos of an identity are in one split. `mode` is one of OpenCV's `IMREAD_` constants.
    """
    folder = Path(folder)
    rows = [json.loads(line) for line in (folder / "muxspace.jsonl").read_text().splitlines()]
    rows = [row for row in rows if "landmarks" in row]
    pictures = archived(folder.glob("muxspace-*.tar"))
    emotions = np.array([EMOTIONS.index(row["label"]) for row in rows])
    return Faces(
        images=[decoded(pictures[row["file"]], mode) for row in rows],
        landmarks=[np.array(row["landmarks"], np.float32) for row in rows],
        boxes=[np.array(row["box"], np.float32) for row in rows],
        attitude=ATTITUDE_OF_EMOTION[emotions],
        votes=np.eye(len(EMOTIONS), dtype=np.float32)[emotions],
        names=[row["file"] for row in rows],
        split=np.array([split_of(row["identity"], VALIDATION_SHARE, TEST_SHARE) for row in rows]),
    )
