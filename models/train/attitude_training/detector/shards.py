# SPDX-License-Identifier: MPL-2.0
"""Reads composites, and makes batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from .augmentation import filmed, mirrored, shrunk
from .targets import targets_of

MIRRORED_SHARE, SHRUNK_SHARE = 0.5, 0.15


@dataclass(frozen=True)
class Shard:
    """A file of composites.

    images: (n, height, width), uint8, memory-mapped.
    rows: the faces (m, 15) of each image.
    """

    images: np.ndarray
    rows: list[np.ndarray]


def shards_in(folder: Path) -> list[Shard]:
    """Opens the files of the step detector.composites."""
    shards = []
    for path in sorted(folder.glob("*.npy")):
        with np.load(path.with_suffix(".npz")) as labels:
            rows = np.split(labels["faces"].astype(np.float32), np.cumsum(labels["counts"])[:-1])
        shards.append(Shard(np.load(path, mmap_mode="r"), rows))
    if not shards:
        raise FileNotFoundError(f"{folder}: no composites; write them with the step detector.composites")
    return shards


class Training(Dataset):
    """Batches of pictures of one size with targets: luma (batch, 1, H, W), uint8, and (batch, CHANNELS, cells)."""

    def __init__(self, shards: Sequence[Shard], batch: int, seed: int) -> None:
        self.shards = shards
        self.batch = batch
        self.seed = seed
        self.start(0)

    def start(self, epoch: int) -> None:
        """Starts an epoch with shuffled batches."""
        rng = np.random.default_rng((self.seed, epoch))
        self.epoch = epoch
        by_size: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for number, shard in enumerate(self.shards):
            indices = by_size.setdefault(shard.images.shape[1:], [])
            indices += [(number, index) for index in range(len(shard.rows))]
        self.batches: list[list[tuple[int, int]]] = []
        for indices in by_size.values():
            order = rng.permutation(len(indices))
            whole = order[: len(order) // self.batch * self.batch].reshape(-1, self.batch)
            self.batches += [[indices[i] for i in batch] for batch in whole]
        rng.shuffle(self.batches)

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        images, targets = zip(*(self.item(*item) for item in self.batches[number]))
        luma = torch.from_numpy(np.stack(images)[:, None])
        return luma, torch.from_numpy(np.stack(targets))

    def item(self, number: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns a changed picture (height, width) of a shard with its targets (CHANNELS, cells)."""
        rng = np.random.default_rng((self.seed, self.epoch, number, index))
        shard = self.shards[number]
        image, rows = shard.images[index], shard.rows[index]
        if rng.random() < MIRRORED_SHARE:
            image, rows = mirrored(image, rows)
        if rng.random() < SHRUNK_SHARE:
            image, rows = shrunk(image, rows, rng)
        height, width = image.shape
        return filmed(image, rng), targets_of(rows, width, height)
