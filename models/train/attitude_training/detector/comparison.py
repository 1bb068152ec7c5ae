# SPDX-License-Identifier: MPL-2.0
"""Compares detectors with a reference on the same pictures."""

import itertools
import math
from collections.abc import Mapping

import cv2
import numpy as np

from ..common.markdown import table
from .detections import BOX, FIELDS, LANDMARKS, SCORE, Detector, are_among, ious

# Minimum height, in px of the input, of the faces that recall and landmark errors count.
MIN_HEIGHT = 24
# Limits of the ranges of heights, in px of the input.
BINS = (16, 24, 32, 48, 96, math.inf)
THRESHOLDS = (0.5, 0.6)
MIN_OVERLAP = 0.5
# Minimum distance of the eyes, in widths of the face, for a landmark error in units of it: excludes profiles, whose
# eyes coincide.
MIN_EYES = 0.2
# Colors of missed and of false faces, BGR.
MISSED, FALSE = (0, 0, 255), (0, 255, 255)


class Tally:
    """Counts the results of a detector at one threshold."""

    def __init__(self) -> None:
        self.wanted, self.found = np.zeros(len(BINS) - 1), np.zeros(len(BINS) - 1)
        self.recall_wanted = self.recall_found = 0
        self.extra = self.false = self.pictures = 0
        self.errors: list[float] = []

    def add(
        self, detected: np.ndarray, reference: np.ndarray, truth: np.ndarray
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Adds the rows (n, 15) of a picture, in px of the input. Returns the missed and the false boxes."""
        missed = []
        for row in reference:
            overlaps = ious(detected[:, BOX], row[BOX])
            is_found = len(detected) > 0 and overlaps.max() > MIN_OVERLAP
            width, height = row[BOX][2:]
            which = np.searchsorted(BINS, height, "right") - 1
            if which >= 0:
                self.wanted[which] += 1
                self.found[which] += is_found
            if height < MIN_HEIGHT:
                continue
            self.recall_wanted += 1
            self.recall_found += is_found
            points = row[LANDMARKS].reshape(5, 2)
            eyes = np.linalg.norm(points[1] - points[0])
            if not is_found:
                missed.append(row[BOX])
            elif eyes > MIN_EYES * width:
                others = detected[overlaps.argmax(), LANDMARKS].reshape(5, 2)
                self.errors.append(np.linalg.norm(others - points, axis=1).mean() / eyes)
        extra = detected[~are_among(detected[:, BOX], reference[:, BOX], MIN_OVERLAP), BOX]
        false = extra[~are_among(extra, truth[:, BOX], MIN_OVERLAP)]
        self.extra += len(extra)
        self.false += len(false)
        self.pictures += 1
        return missed, list(false)

    @staticmethod
    def headings() -> list[str]:
        """Returns the headings of `cells`."""
        ranges = [f"{low} to {high} px" if high < math.inf else f"{low} px and more" for low, high in _ranges()]
        return [f"recall, {MIN_HEIGHT} px and more", *ranges, "extra per picture", "false per picture", "landmarks, %"]

    def cells(self) -> list[str]:
        """Returns the figures."""

        def share(found: float, wanted: float) -> str:
            return f"{found / wanted:.3f}" if wanted else "-"

        return [
            share(self.recall_found, self.recall_wanted),
            *map(share, self.found, self.wanted),
            share(self.extra, self.pictures),
            share(self.false, self.pictures),
            f"{100 * np.mean(self.errors):.1f}" if self.errors else "-",
        ]


def _ranges() -> list[tuple[float, float]]:
    return list(itertools.pairwise(BINS))


class Comparison:
    """The tallies of all detectors, and the failures of the last one."""

    def __init__(self, detectors: Mapping[str, Detector]) -> None:
        self.detectors = detectors
        self.tallies = {(name, threshold): Tally() for name in detectors for threshold in THRESHOLDS}
        self.failures: list[np.ndarray] = []

    def add(self, picture: np.ndarray, reference: np.ndarray, truth: np.ndarray) -> None:
        """Adds a picture (height, width, 3); the rows (n, 15) of the reference and of all faces are in its px."""
        last = list(self.detectors)[-1]
        for name, detector in self.detectors.items():
            detected = detector(picture, min(THRESHOLDS)).reshape(-1, FIELDS)
            for threshold in THRESHOLDS:
                chosen = detected[detected[:, SCORE] >= threshold]
                missed, false = self.tallies[name, threshold].add(chosen, reference, truth)
                if (name, threshold) == (last, min(THRESHOLDS)) and (missed or false):
                    self.failures.append(marked(picture, missed, false))

    def __str__(self) -> str:
        rows = [(f"{name} at {threshold}", *tally.cells()) for (name, threshold), tally in self.tallies.items()]
        return table(("detector", *Tally.headings()), rows)


def marked(picture: np.ndarray, missed: list[np.ndarray], false: list[np.ndarray]) -> np.ndarray:
    """Returns a picture with missed faces framed red and false ones yellow."""
    picture = picture.copy()
    for boxes, color in ((missed, MISSED), (false, FALSE)):
        for x, y, width, height in np.round(boxes).astype(int).reshape(-1, 4).tolist():
            cv2.rectangle(picture, (x, y), (x + width, y + height), color)
    return picture
