# SPDX-License-Identifier: MPL-2.0
"""Loads the labelled faces: FER2013 with the votes of FER+, and the photos of the second set, with splits and targets.

The folder contains `fer2013-*.npz`, `muxspace-*.tar` and `muxspace.jsonl`; models/train/README.md describes them.
"""

import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

ATTITUDES = ("positive", "neutral", "negative")
# Side of FER2013's pictures, in px.
FER2013_SIDE = 48
# The columns of FER+ without "unknown" and "not a face".
EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")

# Mapping of the recipe in seed.py: happiness is positive, neutral is neutral, all others are negative.
ATTITUDE_OF_EMOTION = np.array([1, 0, 2, 2, 2, 2, 2, 2])
ATTITUDE_OF_FER2013 = {"happy": 0, "neutral": 1}

TRAIN, VALIDATION, TEST = "train", "validation", "test"
# Shares of the identities in the second set, in per cent. FER2013's PublicTest rows are halved between both splits.
VALIDATION_SHARE, TEST_SHARE = 6, 6


def split_of(name, validation_share, test_share):
    """Returns the split of an item by its name; shares are in per cent."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") % 100
    if share < test_share:
        return TEST
    return VALIDATION if share < test_share + validation_share else TRAIN


def archived(paths):
    """Reads the files in tar archives. Returns their bytes by name."""
    files = {}
    for path in sorted(paths):
        with tarfile.open(path) as archive:
            for member in archive:
                files[member.name] = archive.extractfile(member).read()
    return files


def decoded(data, mode):
    """Decodes the bytes of an image file."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), mode)


@dataclass(frozen=True)
class Faces:
    """Faces of one set.

    images: pictures, uint8, grey (height, width) or BGR (height, width, 3).
    landmarks: (5, 2) in pixels, or None if a picture is framed like FER2013's.
    boxes: x, y, width, height, or None if a picture is framed like FER2013's.
    attitude: (n,), the labels as indices into ATTITUDES.
    votes: (n, 8), the shares of voters for EMOTIONS; rows add up to at most 1.
    names: the names in the set.
    split: (n,), TRAIN, VALIDATION or TEST.
    """

    images: list
    landmarks: list
    boxes: list
    attitude: np.ndarray
    votes: np.ndarray
    names: list
    split: np.ndarray

    def of(self, split):
        """Returns the faces of one split."""
        chosen = np.flatnonzero(self.split == split)

        def pick(values):
            return [values[i] for i in chosen]

        return Faces(
            pick(self.images),
            pick(self.landmarks),
            pick(self.boxes),
            self.attitude[chosen],
            self.votes[chosen],
            pick(self.names),
            self.split[chosen],
        )

    def __len__(self):
        return len(self.images)


def fer2013(folder):
    """Loads FER2013.

    The PublicTest rows are halved between validation and test, by the parity of a hash of their pixels. A picture that
    is both in Training and PublicTest is treated as PublicTest.
    """
    parts = [np.load(path) for path in sorted(Path(folder).glob("fer2013-*.npz"))]
    if not parts:
        raise FileNotFoundError(f"{folder}: no fer2013-*.npz")
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
        attitude=np.array([ATTITUDE_OF_FER2013.get(label, 2) for label in labels]),
        votes=votes[:, :8] / votes.sum(1, keepdims=True),
        names=[str(name) for name in names],
        split=split,
    )


def second_set(folder, mode=cv2.IMREAD_GRAYSCALE):
    """Loads the photos of the second set in which a face was found; an identity is in only one split."""
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


def label_from_votes(faces):
    """Predicts the probabilities (n, 3) of the labels from the votes, with cross-validation.

    The targets are the expectation of the label, not of the votes: labels of FER2013 are negative for faces that voters
    call neutral far more often than vice versa, and a classifier has to learn that to agree with the labels.
    """
    features = np.hstack([faces.votes, np.sqrt(faces.votes), 1 - faces.votes.sum(1, keepdims=True)])
    model = LogisticRegression(max_iter=1000)
    return cross_val_predict(model, features, faces.attitude, cv=5, method="predict_proba").astype(np.float32)
