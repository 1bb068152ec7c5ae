# SPDX-License-Identifier: MPL-2.0
"""Runs exported classifiers on faces."""

from dataclasses import dataclass

import numpy as np
import onnxruntime

from ..common.inference import median_times_ms
from ..data.faces import Faces
from .crop import SIDE, crops

# Number of crops per inference.
BATCH = 64


def outputs(model: onnxruntime.InferenceSession, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the scores (n, 3) and the emotions (n, 8) of crops (n, 1, 48, 48), 0..255."""
    name = model.get_inputs()[0].name
    rows = [
        model.run(["scores", "emotions"], {name: pixels[i : i + BATCH]}) for i in range(0, max(1, len(pixels)), BATCH)
    ]
    scores, emotions = (np.concatenate(part) for part in zip(*rows))
    return scores, emotions


def scores(model: onnxruntime.InferenceSession, pixels: np.ndarray) -> np.ndarray:
    """Returns the scores (n, 3) of crops (n, 1, 48, 48), 0..255."""
    return outputs(model, pixels)[0]


def face_costs_ms(models: list[onnxruntime.InferenceSession]) -> list[float]:
    """Measures the median time per face of models, in turns."""
    one = np.random.default_rng(0).uniform(0, 255, (1, 1, SIDE, SIDE)).astype(np.float32)
    return median_times_ms([lambda model=model: model.run(None, {model.get_inputs()[0].name: one}) for model in models])


@dataclass(frozen=True)
class Evaluated:
    """The faces of a set and what people say about them.

    truth: (n,), indices into ATTITUDES.
    crops: (n, 1, 48, 48), 0..255.
    scores, emotions: (n, 3) and (n, 8), the outputs of a model.
    """

    faces: Faces
    truth: np.ndarray
    crops: np.ndarray
    scores: np.ndarray
    emotions: np.ndarray

    @classmethod
    def by(cls, model: onnxruntime.InferenceSession, faces: Faces, truth: np.ndarray) -> "Evaluated":
        """Runs a model on faces."""
        pixels = crops(faces.images, faces.landmarks)
        return cls(faces, truth, pixels, *outputs(model, pixels))

    def correct(self) -> np.ndarray:
        """Returns whether the highest score is that of the truth (n,)."""
        return self.scores.argmax(1) == self.truth
