# SPDX-License-Identifier: MPL-2.0
"""Writes contact sheets of faces with their label and the prediction. They show people: do not commit them."""

from pathlib import Path

import cv2
import numpy as np

from ..common.pictures import sheet
from ..data.labels import ATTITUDES

# Faces per row and per sheet, which fit on a screen.
COLUMNS, FACES_PER_SHEET = 16, 128
# Side of a face, height of the two lines below it, and of one line, in px.
SIDE, CAPTION, LINE = 96, 28, 12
# Size of the letters relative to OpenCV's font, so that a line fits below a face; and characters that fit.
LETTERS, MAX_CHARACTERS = 0.32, 18
WHITE = 255


def write_sheets(pixels: np.ndarray, scores: np.ndarray, labels: np.ndarray, folder: Path, name: str) -> None:
    """Writes `NAME-1.png`, … into a folder, highest score first.

    `pixels` are crops (n, 1, side, side), 0..255; `scores` are those of ATTITUDES (n, 3), `labels` (n,) their indices.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order = np.argsort(-scores.max(1), kind="stable")
    for number, start in enumerate(range(0, len(order), FACES_PER_SHEET), 1):
        chosen = order[start : start + FACES_PER_SHEET]
        tiles = [_tile(pixels[index, 0], scores[index], int(labels[index])) for index in chosen]
        cv2.imwrite(str(folder / f"{name}-{number}.png"), sheet(tiles, min(COLUMNS, len(tiles))))


def _tile(pixels: np.ndarray, scores: np.ndarray, label: int) -> np.ndarray:
    tile = np.zeros((SIDE + CAPTION, SIDE), np.uint8)
    tile[:SIDE] = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).clip(0, 255)
    predicted = f"found {ATTITUDES[scores.argmax()]} {scores.max():.2f}"
    for line, text in enumerate((f"is {ATTITUDES[label]}", predicted[:MAX_CHARACTERS]), 1):
        cv2.putText(tile, text, (0, SIDE + line * LINE), cv2.FONT_HERSHEY_SIMPLEX, LETTERS, WHITE)
    return tile
