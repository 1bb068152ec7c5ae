# SPDX-License-Identifier: MPL-2.0
"""Trains the default face detector.

    python3 models/train/train_detector.py TRAINING VALIDATION CHECKPOINT.pt [--init CHECKPOINT.pt] [--rate R] [--epochs N]

TRAINING and VALIDATION are folders that composites.py has written. The weights are random at first, or those of another
training. An interrupted run goes on where its last epoch ended. Prints a line of figures an epoch: recall of the faces from
MIN_JUDGED_HEIGHT px on, and false faces a picture, each at the scores 0.5 and 0.6.
"""

import argparse
import math
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import checkpoint
from augmentation import blurred
from composites import MIRRORED
from detections import BOX, FIELDS, LANDMARKS, SCORE, STRIDES, from_maps, ious
from detector_network import LUMA_SCALE, DetectorNetwork, Maps, load
from weight_mean import WeightMean

BATCH = 32
PEAK_RATE = 5e-3
WARMUP_STEPS = 300
WEIGHT_DECAY = 1e-3
# How much geometry counts beside the score.
GEOMETRY_WEIGHT = 4.0
# From where on an error of geometry, in sizes of the face, counts linearly.
GEOMETRY_BEND = 0.03
# How much less a cell counts that is nearly right (Li et al., "Generalized Focal Loss", 2020).
FOCUS = 1.5

# The sizes of faces, in cells, that a level is to find. The ranges overlap: a face at the end of one is found by the next.
LEVEL_SIZES = ((0, 5.5), (2.0, 5.5), (2.0, math.inf))
# A cell counts fully up to this distance of its middle from the face's, in cells, and from twice as far apart not at all.
FULL_DISTANCE = 0.75
# The teacher's scores from which on a face counts at all, and fully. In between lies the teacher's own threshold, 0.6,
# which becomes about the student's 0.5.
DOUBTFUL, CERTAIN = 0.4, 0.75

JUDGED_SCORE, MIN_JUDGED_HEIGHT = 0.6, 16


def mirrored(image, rows):
    rows = rows.copy()
    width = image.shape[1]
    rows[:, 1] = width - rows[:, 1] - rows[:, 3]
    landmarks = rows[:, LANDMARKS].reshape(-1, 5, 2)[:, MIRRORED]
    rows[:, LANDMARKS] = (landmarks * (-1, 1) + (width, 0)).reshape(-1, 10)
    return image[:, ::-1], rows


def shrunk(image, rows, rng):
    """The picture at the top left of a black one, as a frame lies in the input, and smaller than it was."""
    height, width = image.shape
    scale = rng.uniform(0.5, 1)
    size = round(width * scale), round(height * scale)
    small = np.zeros_like(image)
    small[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    rows = rows.copy()
    rows[:, 1:] *= scale
    return small, rows


def filmed(image, rng):
    """The picture (height, width), uint8, as cameras see it that lack light, focus or bandwidth."""
    if rng.random() < 0.15:
        image = blurred(image, rng.uniform(0.3, 1), rng)
    pixels = image.astype(np.float32)
    if rng.random() < 0.4:
        pixels = 255 * (pixels / 255) ** math.exp(rng.normal(0, 0.3))
    if rng.random() < 0.3:
        mean = pixels.mean()
        pixels = (pixels - mean) * rng.uniform(0.3, 1.2) + mean + rng.normal(0, 15)
    if rng.random() < 0.3:
        pixels *= math.exp(rng.uniform(math.log(0.12), 0))
    if rng.random() < 0.35:
        sigma = math.exp(rng.uniform(math.log(1), math.log(20)))
        pixels += sigma * rng.standard_normal(pixels.shape, np.float32)
    image = np.clip(pixels, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        quality = int(rng.integers(20, 80))
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    return image


def certainty(scores):
    """How much a student's cell should score where the teacher's face does."""
    return np.clip((scores - DOUBTFUL) / (CERTAIN - DOUBTFUL), 0, 1)


def level_targets(rows, width, height, stride, sizes):
    """What one level should say of faces (n, 15): (16, cells), the channels of a center map and, where there is a face, its
    size in cells."""
    columns, lines = width // stride, height // stride
    targets = np.zeros((FIELDS + 1, lines, columns), np.float32)
    targets[FIELDS] = 1
    for row in rows:
        sides = row[3:5] / stride
        size = math.sqrt(sides.prod())
        if not sizes[0] <= size < sizes[1]:
            continue
        center = row[1:3] / stride + sides / 2
        low = np.clip(np.floor(center - 2 * FULL_DISTANCE - 0.5), 0, None).astype(int)
        high = np.minimum(np.ceil(center + 2 * FULL_DISTANCE + 0.5).astype(int), (columns, lines))
        if (low >= high).any():
            continue
        y, x = np.mgrid[low[1] : high[1], low[0] : high[0]]
        distance = np.maximum(np.abs(x + 0.5 - center[0]), np.abs(y + 0.5 - center[1]))
        score = certainty(row[SCORE]) * np.clip(2 - distance / FULL_DISTANCE, 0, 1)
        part = targets[:, low[1] : high[1], low[0] : high[0]]
        is_better = score > part[SCORE]
        points = np.concatenate([center, row[LANDMARKS] / stride]).reshape(6, 2)
        offsets = np.stack([points[:, :1, None] - x, points[:, 1:, None] - y], 1).reshape(12, *x.shape)
        logs = np.broadcast_to(np.log(sides)[:, None, None], (2, *x.shape))
        new = np.concatenate([score[None], offsets[:2], logs, offsets[2:], np.full_like(score, size)[None]])
        part[:] = np.where(is_better, new, part)
    return targets.reshape(FIELDS + 1, -1)


def targets_of(rows, width, height):
    """What all levels should say, one after the other: (16, cells)."""
    levels = [level_targets(rows, width, height, *level) for level in zip(STRIDES, LEVEL_SIZES)]
    return np.concatenate(levels, 1)


@dataclass(frozen=True)
class Shard:
    """images: (n, height, width), uint8, on disk. rows: (m, 15) for each of them."""

    images: np.ndarray
    rows: list


def shards_in(folder):
    shards = []
    for path in sorted(folder.glob("*.npy")):
        with np.load(path.with_suffix(".npz")) as labels:
            rows = np.split(labels["faces"].astype(np.float32), np.cumsum(labels["counts"])[:-1])
        shards.append(Shard(np.load(path, mmap_mode="r"), rows))
    if not shards:
        raise FileNotFoundError(f"{folder}: no composites")
    return shards


class Training(Dataset):
    """Batches of pictures of one size with their targets: luma (BATCH, 1, H, W) by LUMA_SCALE, and (BATCH, 16, cells)."""

    def __init__(self, shards, seed):
        self.shards = shards
        self.seed = seed
        self.start(0)

    def start(self, epoch):
        """Shuffles, so that batches differ from those of other epochs."""
        rng = np.random.default_rng((self.seed, epoch))
        self.epoch = epoch
        by_size = {}
        for number, shard in enumerate(self.shards):
            indices = by_size.setdefault(shard.images.shape[1:], [])
            indices += [(number, index) for index in range(len(shard.rows))]
        self.batches = []
        for indices in by_size.values():
            order = rng.permutation(len(indices))
            whole = order[: len(order) // BATCH * BATCH].reshape(-1, BATCH)
            self.batches += [[indices[i] for i in batch] for batch in whole]
        rng.shuffle(self.batches)

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, number):
        images, targets = zip(*(self.item(*place) for place in self.batches[number]))
        luma = torch.from_numpy(np.stack(images)[:, None])
        return luma, torch.from_numpy(np.stack(targets))

    def item(self, number, index):
        rng = np.random.default_rng((self.seed, self.epoch, number, index))
        shard = self.shards[number]
        image, rows = shard.images[index], shard.rows[index]
        if rng.random() < 0.5:
            image, rows = mirrored(image, rows)
        if rng.random() < 0.15:
            image, rows = shrunk(image, rows, rng)
        height, width = image.shape
        return filmed(image, rng), targets_of(rows, width, height)


def losses(outputs, targets):
    """Of score and geometry, for what the network gives and what it should: (n, 16, cells)."""
    score = torch.cat([level[0].flatten(1) for level in outputs], 1)
    geometry = torch.cat([level[1].flatten(2) for level in outputs], 2)
    wanted, size = targets[:, SCORE], targets[:, FIELDS]
    faces = wanted.sum() + 1

    focus = (torch.sigmoid(score.detach()) - wanted).abs() ** FOCUS
    score_loss = (focus * F.binary_cross_entropy_with_logits(score, wanted, reduction="none")).sum() / faces

    # Offsets are measured in sizes of the face; logarithms are already.
    unit = size[:, None].repeat(1, FIELDS - 1, 1)
    unit[:, 2:4] = 1
    error = (geometry - targets[:, 1:FIELDS]) / unit
    bent = F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=GEOMETRY_BEND)
    geometry_loss = (bent.mean(1) * wanted).sum() / faces
    return score_loss, geometry_loss


@torch.no_grad()
def answers(network, shards, threshold):
    """For each picture, spoilt as the training's are but always in the same way: the faces (n, 15) that the network finds, and
    those (m, 15) that are sure to be there."""
    maps = Maps(network).eval().to(memory_format=torch.channels_last)
    for number, shard in enumerate(shards):
        for start in range(0, len(shard.rows), BATCH):
            images = shard.images[start : start + BATCH]
            luma = [filmed(image, np.random.default_rng((number, start + i))) for i, image in enumerate(images)]
            luma = torch.from_numpy(np.stack(luma)[:, None]).to(torch.float32, memory_format=torch.channels_last)
            outputs = [level.numpy() for level in maps(luma)]
            for levels, rows in zip(zip(*outputs), shard.rows[start : start + BATCH]):
                yield from_maps(levels, threshold), rows[rows[:, SCORE] >= JUDGED_SCORE]


def are_among(boxes, others):
    """Which of boxes (n, 4) are about one of the others (m, 4)."""
    return np.array([(ious(others, box) > 0.5).any() for box in boxes], bool)


def validation_figures(network, shards):
    """Recall and false faces a picture, at the scores 0.5 and 0.6."""
    thresholds = (0.5, 0.6)
    wanted, found, false, pictures = 0, np.zeros(2), np.zeros(2), 0
    for said, sure in answers(network, shards, thresholds[0]):
        judged = sure[sure[:, 4] >= MIN_JUDGED_HEIGHT]
        wanted += len(judged)
        pictures += 1
        for which, threshold in enumerate(thresholds):
            boxes = said[said[:, SCORE] >= threshold][:, BOX]
            found[which] += are_among(judged[:, BOX], boxes).sum()
            false[which] += (~are_among(boxes, sure[:, BOX])).sum()
    return found / wanted, false / pictures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("validation", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--init", type=Path)
    parser.add_argument("--rate", type=float, default=PEAK_RATE)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    dataset = Training(shards_in(options.training), options.seed)
    validation = shards_in(options.validation)

    network = load(options.init) if options.init else DetectorNetwork()
    network = network.to(memory_format=torch.channels_last)
    mean = WeightMean(network)
    optimizer = torch.optim.AdamW(network.parameters(), options.rate, weight_decay=WEIGHT_DECAY)
    steps = options.epochs * len(dataset)
    rate = lambda step: min(1, (step + 1) / WARMUP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    print("pictures:", len(dataset) * BATCH, "parameters:", sum(p.numel() for p in network.parameters()), flush=True)

    first_epoch = checkpoint.resume(options.checkpoint, network, mean, optimizer, schedule)
    for epoch in range(first_epoch, options.epochs):
        started = time.monotonic()
        dataset.start(epoch)
        network.train()
        totals = np.zeros(2)
        for luma, targets in DataLoader(dataset, None, num_workers=1, prefetch_factor=8):
            outputs = network(luma.to(torch.float32, memory_format=torch.channels_last) / LUMA_SCALE)
            score_loss, geometry_loss = losses(outputs, targets)
            optimizer.zero_grad()
            (score_loss + GEOMETRY_WEIGHT * geometry_loss).backward()
            optimizer.step()
            schedule.step()
            mean.update(network)
            totals += score_loss.item(), geometry_loss.item()
        recall, false = validation_figures(mean.network, validation)
        score_loss, geometry_loss = totals / len(dataset)
        print(
            f"epoch {epoch + 1} score {score_loss:.4f} geometry {geometry_loss:.4f} "
            f"recall {recall[0]:.4f} {recall[1]:.4f} false {false[0]:.4f} {false[1]:.4f} "
            f"seconds {time.monotonic() - started:.0f}",
            flush=True,
        )
        checkpoint.save(options.checkpoint, epoch + 1, network, mean, optimizer, schedule)


if __name__ == "__main__":
    main()
