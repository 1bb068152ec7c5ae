# SPDX-License-Identifier: MPL-2.0
"""Runs a network on the validation composites."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .augmentation import filmed
from .detections import BOX, SCORE, UNCERTAIN, are_among, from_maps
from .network import DetectorNetwork, Maps
from .shards import Shard

# Pictures per inference.
BATCH = 32
# Minimum score and height, in px, of the faces that recall counts.
MIN_SCORE, MIN_HEIGHT = 0.6, 16
# Intersection over union from which on a detection is a face.
MIN_OVERLAP = 0.5
# Intersection over union from which on a detection may be an uncertain head, whose box is not exact.
MIN_UNCERTAIN_OVERLAP = 0.2
# Scores at which recall and false faces are counted.
THRESHOLDS = (0.5, 0.6)


@torch.no_grad()
def detections(
    network: DetectorNetwork, shards: Sequence[Shard], threshold: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the faces (n, 15) that the network finds and the expected faces (m, 15) per picture.

    Detections of uncertain heads are left out. The pictures are degraded like those of the training, but always in the
    same way.
    """
    maps = Maps(network).eval().to(memory_format=torch.channels_last)
    device = next(maps.parameters()).device
    for number, shard in enumerate(shards):
        for start in range(0, len(shard.rows), BATCH):
            images = shard.images[start : start + BATCH]
            luma = [filmed(image, np.random.default_rng((number, start + i))) for i, image in enumerate(images)]
            tensor = torch.from_numpy(np.stack(luma)[:, None])
            tensor = tensor.to(device, torch.float32, memory_format=torch.channels_last)
            outputs = [level.cpu().numpy() for level in maps(tensor)]
            for levels, rows in zip(zip(*outputs), shard.rows[start : start + BATCH]):
                found = from_maps(levels, threshold)
                expected = rows[rows[:, SCORE] >= MIN_SCORE]
                uncertain = rows[rows[:, SCORE] == UNCERTAIN]
                is_face = are_among(found[:, BOX], expected[:, BOX], MIN_OVERLAP)
                yield found[is_face | ~are_among(found[:, BOX], uncertain[:, BOX], MIN_UNCERTAIN_OVERLAP)], expected


@dataclass(frozen=True)
class Figures:
    """Figures per score in THRESHOLDS.

    recall: the share of the faces of at least MIN_HEIGHT px that are found, 0 to 1.
    false: the number of false faces per picture.
    """

    recall: np.ndarray
    false: np.ndarray

    def __str__(self) -> str:
        def joined(values: np.ndarray) -> str:
            return " ".join(f"{value:.4f}" for value in values)

        return f"recall {joined(self.recall)} false {joined(self.false)}"


def validate(network: DetectorNetwork, shards: Sequence[Shard]) -> Figures:
    """Measures a network on composites."""
    wanted, found, false, pictures = 0, np.zeros(len(THRESHOLDS)), np.zeros(len(THRESHOLDS)), 0
    for detected, expected in detections(network, shards, min(THRESHOLDS)):
        large = expected[expected[:, 4] >= MIN_HEIGHT]
        wanted += len(large)
        pictures += 1
        for which, threshold in enumerate(THRESHOLDS):
            boxes = detected[detected[:, SCORE] >= threshold][:, BOX]
            found[which] += are_among(large[:, BOX], boxes, MIN_OVERLAP).sum()
            false[which] += (~are_among(boxes, expected[:, BOX], MIN_OVERLAP)).sum()
    return Figures(found / max(1, wanted), false / pictures)
