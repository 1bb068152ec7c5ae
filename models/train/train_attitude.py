# SPDX-License-Identifier: MPL-2.0
"""Trains the default attitude classifier.

    python3 models/train/train_attitude.py DATA CHECKPOINT.pt [--teacher CHECKPOINT.pt] [--epochs N] [--seed N]

DATA is the folder with the faces; see models/train/README.md. The teacher is an earlier checkpoint of the same network,
whose output is half of each target (Furlanello et al., "Born-Again Neural Networks", 2018). An interrupted run is
resumed after its last complete epoch by the same command. Prints the accuracy on the validation split per epoch.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

import checkpoint
import crop
import faces
from attitude_network import AttitudeNetwork, load
from augmentation import augmented
from weight_mean import WeightMean

BATCH = 128
PEAK_RATE = 4e-3
WARMUP_STEPS = 150
WEIGHT_DECAY = 0.05
# Strength of the augmentation at the beginning and at the end: a small network must work on good pictures first.
STRENGTHS = (0.7, 0.3)
# Weight of the loss of the eight emotions relative to the three attitudes.
EMOTION_WEIGHT = 0.4
# Share of the label in a target; the rest is the prediction of the label from the votes.
LABEL_SHARE = 0.5
# Share of the uniform distribution in targets of the second set, which has one label per face, and some errors.
SMOOTHING = 0.1
# Share of the teacher's output in a target.
TEACHER_SHARE = 0.5


class Training(Dataset):
    """Augmented crops with their targets: pixels (48, 48), attitudes (3,), emotions (8,)."""

    def __init__(self, parts, seed):
        self.items = [
            (image, landmarks, box, attitude, emotion)
            for part, attitudes, emotions in parts
            for image, landmarks, box, attitude, emotion in zip(
                part.images, part.landmarks, part.boxes, attitudes, emotions
            )
        ]
        self.seed = seed
        self.start(0, 1.0)

    def start(self, epoch, strength):
        """Starts an epoch with different crops, and with this `strength` of degradations, 0 to 1."""
        self.epoch, self.strength = epoch, strength

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        image, landmarks, box, attitude, emotion = self.items[index]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        return augmented(image, landmarks, box, self.strength, rng), attitude, emotion


def clean_crops(part):
    """Cuts faces like the plugin, without augmentation, (n, 1, 48, 48)."""
    cuts = [
        crop.cut(image, crop.whole(image) if landmarks is None else crop.from_landmarks(landmarks))
        for image, landmarks in zip(part.images, part.landmarks)
    ]
    return torch.from_numpy(np.stack(cuts)[:, None])


@torch.no_grad()
def logits(network, crops, batch=512):
    """Returns the logits of attitudes and emotions of crops (n, 1, 48, 48)."""
    network.eval()
    outputs = [network(part) for part in crops.split(batch)]
    return tuple(torch.cat(part) for part in zip(*outputs))


def cross_entropy(output, target):
    return -(target * F.log_softmax(output, 1)).sum(1).mean()


def targets(part):
    """Returns targets of attitudes (n, 3) and emotions (n, 8)."""
    label = np.eye(3, dtype=np.float32)[part.attitude]
    return label, part.votes


def training_parts(fer, second):
    label, votes = targets(fer)
    softened = LABEL_SHARE * label + (1 - LABEL_SHARE) * faces.label_from_votes(fer)
    smoothed = [(1 - SMOOTHING) * target + SMOOTHING / target.shape[1] for target in targets(second)]
    return [(fer, softened, votes), (second, *smoothed)]


def mix_with_teacher(part, attitudes, emotions, teacher):
    """Mixes the targets of a part with the teacher's output for its faces and their mirror images."""
    crops = clean_crops(part)
    views = [logits(teacher, crops), logits(teacher, crops.flip(3))]
    taught = [np.mean([F.softmax(view, 1).numpy() for view in head], 0) for head in zip(*views)]
    mixed = [(1 - TEACHER_SHARE) * own + TEACHER_SHARE * theirs for own, theirs in zip((attitudes, emotions), taught)]
    return part, *mixed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--epochs", type=int, default=45)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    sets = [faces.fer2013(options.data), faces.second_set(options.data)]
    parts = training_parts(*(part.of(faces.TRAIN) for part in sets))
    if options.teacher:
        teacher = load(options.teacher)
        parts = [mix_with_teacher(*part, teacher) for part in parts]
    dataset = Training(parts, options.seed)
    validation = [part.of(faces.VALIDATION) for part in sets]
    validation_crops = [clean_crops(part) for part in validation]
    print("faces:", len(dataset), "validation:", [len(part) for part in validation], flush=True)

    network = AttitudeNetwork().to(memory_format=torch.channels_last)
    mean = WeightMean(network)
    optimizer = torch.optim.AdamW(network.parameters(), PEAK_RATE, weight_decay=WEIGHT_DECAY)
    steps = options.epochs * (len(dataset) // BATCH)

    def rate(step):
        return min(1, (step + 1) / WARMUP_STEPS) * 0.5 * (1 + math.cos(math.pi * step / steps))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)

    first_epoch = checkpoint.resume(options.checkpoint, network, mean, optimizer, schedule)
    for epoch in range(first_epoch, options.epochs):
        started = time.monotonic()
        dataset.start(epoch, np.interp(epoch, (0, options.epochs - 1), STRENGTHS))
        order = torch.Generator().manual_seed(options.seed * 1000 + epoch)
        loader = DataLoader(
            dataset, BATCH, shuffle=True, generator=order, drop_last=True, num_workers=1, prefetch_factor=8
        )
        network.train()
        total = 0.0
        for crops, attitudes, emotions in loader:
            outputs = network(crops[:, None].contiguous(memory_format=torch.channels_last))
            loss = cross_entropy(outputs[0], attitudes)
            loss = loss + EMOTION_WEIGHT * cross_entropy(outputs[1], emotions)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            mean.update(network)
            total += loss.item()
        correct = [
            (logits(mean.network, crops)[0].argmax(1).numpy() == part.attitude).mean()
            for crops, part in zip(validation_crops, validation)
        ]
        mixed = 0.72 * correct[0] + 0.28 * correct[1]
        print(
            f"epoch {epoch + 1} loss {total / len(loader):.4f} fer2013 {correct[0]:.4f} second {correct[1]:.4f} "
            f"mix {mixed:.4f} seconds {time.monotonic() - started:.0f}",
            flush=True,
        )
        checkpoint.save(options.checkpoint, epoch + 1, network, mean, optimizer, schedule)


if __name__ == "__main__":
    main()
