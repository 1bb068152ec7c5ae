# SPDX-License-Identifier: MPL-2.0
"""Trains the default face detector.

    python3 models/train/train_detector.py TRAINING VALIDATION CHECKPOINT.pt [--init CHECKPOINT.pt] [--rate R] [--epochs
    N]

TRAINING and VALIDATION are folders written by composites.py. The initial weights are random, or those of an earlier
training. An interrupted run is resumed after its last complete epoch by the same command. Prints figures per epoch: the
recall of faces of at least MIN_RECALL_HEIGHT px, and the number of false faces per picture, at scores of 0.5 and 0.6.
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
# Weight of the loss of the geometry relative to the score.
GEOMETRY_WEIGHT = 4.0
# Geometry error, in sizes of the face, above which the loss is linear.
GEOMETRY_BEND = 0.03
# Exponent that reduces the weight of cells with small errors (Li et al., "Generalized Focal Loss", 2020).
FOCUS = 1.5

# Minimum and maximum size of faces, in cells, per level. The ranges overlap, so that both levels find faces in between.
LEVEL_SIZES = ((0, 5.5), (2.0, 5.5), (2.0, math.inf))
# Maximum distance, in cells, of a cell from the middle of a face for a full score; the score is zero at twice the
# distance.
FULL_DISTANCE = 0.75
# The teacher's scores for a target of zero and of one. The teacher's threshold of 0.6 becomes about 0.5 for the
# student.
DOUBTFUL, CERTAIN = 0.4, 0.75

# Minimum score and height, in px, of the faces in the validation.
MIN_RECALL_SCORE, MIN_RECALL_HEIGHT = 0.6, 16


def mirrored(image, rows):
    rows = rows.copy()
    width = image.shape[1]
    rows[:, 1] = width - rows[:, 1] - rows[:, 3]
    landmarks = rows[:, LANDMARKS].reshape(-1, 5, 2)[:, MIRRORED]
    rows[:, LANDMARKS] = (landmarks * (-1, 1) + (width, 0)).reshape(-1, 10)
    return image[:, ::-1], rows


def shrunk(image, rows, rng):
    """Scales a picture down into the top left of a black one, like the padding of the plugin."""
    height, width = image.shape
    scale = rng.uniform(0.5, 1)
    size = round(width * scale), round(height * scale)
    small = np.zeros_like(image)
    small[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    rows = rows.copy()
    rows[:, 1:] *= scale
    return small, rows


def filmed(image, rng):
    """Degrades a picture (height, width), uint8, like cameras without enough light, focus or bandwidth."""
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
    """Converts the teacher's scores to targets of the student."""
    return np.clip((scores - DOUBTFUL) / (CERTAIN - DOUBTFUL), 0, 1)


def level_targets(rows, width, height, stride, sizes):
    """Returns the targets of one level for faces (n, 15), as (16, cells).

    They are the channels of a center map and, in cells with a face, its size in cells.
    """
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
    """Returns the targets of all levels, one after the other, (16, cells)."""
    levels = [level_targets(rows, width, height, *level) for level in zip(STRIDES, LEVEL_SIZES)]
    return np.concatenate(levels, 1)


@dataclass(frozen=True)
class Shard:
    """A file of composites.

    images: (n, height, width), uint8, memory-mapped.
    rows: (m, 15) per image.
    """

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
    """Batches of pictures of one size with their targets: luma (BATCH, 1, H, W), and (BATCH, 16, cells)."""

    def __init__(self, shards, seed):
        self.shards = shards
        self.seed = seed
        self.start(0)

    def start(self, epoch):
        """Starts an epoch with shuffled batches."""
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
        images, targets = zip(*(self.item(*item) for item in self.batches[number]))
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
    """Returns the losses of score and geometry of the outputs, for targets (n, 16, cells)."""
    score = torch.cat([level[0].flatten(1) for level in outputs], 1)
    geometry = torch.cat([level[1].flatten(2) for level in outputs], 2)
    wanted, size = targets[:, SCORE], targets[:, FIELDS]
    faces = wanted.sum() + 1

    focus = (torch.sigmoid(score.detach()) - wanted).abs() ** FOCUS
    score_loss = (focus * F.binary_cross_entropy_with_logits(score, wanted, reduction="none")).sum() / faces

    # Offsets are relative to the size of the face; logarithms of the size are relative already.
    unit = size[:, None].repeat(1, FIELDS - 1, 1)
    unit[:, 2:4] = 1
    error = (geometry - targets[:, 1:FIELDS]) / unit
    bent = F.smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=GEOMETRY_BEND)
    geometry_loss = (bent.mean(1) * wanted).sum() / faces
    return score_loss, geometry_loss


@torch.no_grad()
def detections(network, shards, threshold):
    """Yields the faces (n, 15) that the network finds and the expected faces (m, 15) per picture.

    The pictures are degraded like those of the training, but always in the same way.
    """
    maps = Maps(network).eval().to(memory_format=torch.channels_last)
    for number, shard in enumerate(shards):
        for start in range(0, len(shard.rows), BATCH):
            images = shard.images[start : start + BATCH]
            luma = [filmed(image, np.random.default_rng((number, start + i))) for i, image in enumerate(images)]
            luma = torch.from_numpy(np.stack(luma)[:, None]).to(torch.float32, memory_format=torch.channels_last)
            outputs = [level.numpy() for level in maps(luma)]
            for levels, rows in zip(zip(*outputs), shard.rows[start : start + BATCH]):
                yield from_maps(levels, threshold), rows[rows[:, SCORE] >= MIN_RECALL_SCORE]


def are_among(boxes, others):
    """Returns which boxes (n, 4) overlap one of the others (m, 4)."""
    return np.array([(ious(others, box) > 0.5).any() for box in boxes], bool)


def validation_figures(network, shards):
    """Returns the recall and the number of false faces per picture, at scores of 0.5 and 0.6."""
    thresholds = (0.5, 0.6)
    wanted, found, false, pictures = 0, np.zeros(2), np.zeros(2), 0
    for detected, expected in detections(network, shards, thresholds[0]):
        large = expected[expected[:, 4] >= MIN_RECALL_HEIGHT]
        wanted += len(large)
        pictures += 1
        for which, threshold in enumerate(thresholds):
            boxes = detected[detected[:, SCORE] >= threshold][:, BOX]
            found[which] += are_among(large[:, BOX], boxes).sum()
            false[which] += (~are_among(boxes, expected[:, BOX])).sum()
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

    def rate(step):
        return min(1, (step + 1) / WARMUP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))

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
