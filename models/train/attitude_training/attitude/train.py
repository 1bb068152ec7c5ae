# SPDX-License-Identifier: MPL-2.0
"""Trains a classifier: a teacher, the default classifier, or the variant for the original labels.

    python3 -m attitude_training.attitude.train DATA CHECKPOINT.pt [--network student] [--targets votes]
        [--taught PREDICTIONS.npz] [--init MODEL.onnx] [--epochs N] [--seed N]

DATA is the folder with the faces; see models/train/README.md. An interrupted run is resumed after its last complete
epoch by the same command. Prints the accuracy of the mean weights per epoch: on faces of FER2013 on which at least 8 of
10 voters agree, on all with a majority, and on photos of the second set, of the validation split; or, with `--targets
labels`, on the test part of the recipe of 2019.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn.functional import log_softmax
from torch.utils.data import DataLoader, Dataset

from ..common.checkpoint import Optimization, TrainingState
from ..common.command_line import parser
from ..common.device import Device
from ..common.onnx_import import renormalize
from ..data.faces import VALIDATION, Faces
from ..data.labels import BUCKETS, bucketed
from .augmentation import augmented
from .crop import TEMPLATE, crops
from .glasses import sometimes_with_glasses
from .network import SHAPES, AttitudeNetwork, deepen, emotions, load, log_attitudes, options_of
from .smiles import sometimes_bent
from .targets import LABELS, VOTES, Part, seed_parts, sets, taught, training_parts
from .teach import read_predictions

BATCH = 128
PEAK_RATE = 4e-3
WARMUP_STEPS = 150
WEIGHT_DECAY = 0.05
EPOCHS = 45
# Strength of the augmentation at the beginning and at the end: a small network must work on good pictures first.
STRENGTHS = (0.7, 0.3)
# Weight of the loss of the eight emotions relative to the three attitudes, which decide what users see.
EMOTION_WEIGHT = 0.5
# Share of voters whose agreement makes a face clear.
AGREEMENT = 0.8
# Number of faces whose statistics a training starts with if it continues from a trained network.
STATISTICS_FACES = 2048
# Epochs have different shuffles as long as a training has fewer epochs than this.
EPOCHS_PER_SEED = 1000


class Training(Dataset):
    """Augmented crops (48, 48), float32 0..255, with their targets (8,)."""

    def __init__(self, parts: Sequence[Part], seed: int) -> None:
        self.items = [
            (image, landmarks, box, target.astype(np.float32))
            for part in parts
            for image, landmarks, box, target in zip(
                part.faces.images, part.faces.landmarks, part.faces.boxes, part.targets
            )
        ]
        self.seed = seed
        self.start(0, 1.0)

    def start(self, epoch: int, strength: float) -> None:
        """Starts an epoch with different crops, and with this `strength` of degradations, 0 to 1."""
        self.epoch, self.strength = epoch, strength

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        image, landmarks, box, target = self.items[index]
        rng = np.random.default_rng((self.seed, self.epoch, index))
        points = TEMPLATE * image.shape[0] if landmarks is None else landmarks
        image, target = sometimes_bent(image, points, target, rng)
        image = sometimes_with_glasses(image, points, rng)
        return augmented(image, landmarks, box, self.strength, rng), target


def loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Returns the cross entropy of attitudes, plus EMOTION_WEIGHT times that of emotions.

    Both `logits` and `target` are (n, 8); attitudes are sums of emotions in both.
    """
    attitudes = target @ torch.from_numpy(BUCKETS).to(target.device)
    emotion_loss = -(target * log_softmax(logits, 1)).sum(1).mean()
    attitude_loss = -(attitudes * log_attitudes(logits)).sum(1).mean()
    return attitude_loss + EMOTION_WEIGHT * emotion_loss


class Validation:
    """Faces on which the accuracy is printed per epoch."""

    def __init__(self, fer: Faces, second: Faces, kind: str) -> None:
        if kind == LABELS:
            _, (fer, second) = seed_parts(fer, second)
            everything = np.ones(len(fer), bool)
            self.fer_figures = [("labels", fer.attitude, everything)]
        else:
            fer, second = fer.of(VALIDATION), second.of(VALIDATION)
            majority, is_unique = fer.majority()
            self.fer_figures = [("clear", majority, fer.agree(AGREEMENT)), ("majority", majority, is_unique)]
        self.second_truth = second.attitude
        self.fer_crops, self.second_crops = (crops(part.images, part.landmarks) for part in (fer, second))

    def figures(self, network: AttitudeNetwork) -> str:
        """Formats the accuracies of a network."""
        predicted = bucketed(emotions(network, self.fer_crops)).argmax(1)
        parts = [f"{name} {_share((predicted == truth)[chosen])}" for name, truth, chosen in self.fer_figures]
        predicted = bucketed(emotions(network, self.second_crops)).argmax(1)
        return " ".join([*parts, f"photos {_share(predicted == self.second_truth)}"])


def _share(correct: np.ndarray) -> str:
    return f"{correct.mean():.4f}" if len(correct) else "-"


def train(
    state: TrainingState,
    dataset: Training,
    validation: Validation,
    checkpoint: Path,
    epochs: int,
    batch: int,
    device: Device,
) -> None:
    """Trains for the epochs that are left, and saves a checkpoint after each."""
    first_epoch = state.resume(checkpoint)
    for epoch in range(first_epoch, epochs):
        started = time.monotonic()
        dataset.start(epoch, np.interp(epoch, (0, max(1, epochs - 1)), STRENGTHS))
        order = torch.Generator().manual_seed(dataset.seed * EPOCHS_PER_SEED + epoch)
        loader = DataLoader(dataset, batch, shuffle=True, generator=order, drop_last=True, **device.loader_options())
        state.network.train()
        total = 0.0
        for pixels, target in loader:
            luma = pixels[:, None].contiguous(memory_format=torch.channels_last).to(device.name)
            with device.autocast():
                logits = state.network(luma)
            value = loss(logits.float(), target.to(device.name))
            state.step(value)
            total += value.item()
        print(
            f"epoch {epoch + 1} loss {total / len(loader):.4f} {validation.figures(state.mean.network)} "
            f"seconds {time.monotonic() - started:.0f}",
            flush=True,
        )
        state.save(checkpoint, epoch + 1)


def start_from(path: Path, network: AttitudeNetwork, dataset: Training) -> None:
    """Sets the weights to those of a trained network, which may have fewer blocks."""
    deepen(network, load(path))
    count = min(STATISTICS_FACES, len(dataset))
    pixels = np.stack([dataset[index][0] for index in np.linspace(0, len(dataset) - 1, count, dtype=int)])
    renormalize(network, torch.from_numpy(pixels[:, None]))


def numbers(text: str) -> tuple[int, ...]:
    """Parses integers that are separated by commas."""
    return tuple(int(number) for number in text.split(","))


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("checkpoint", type=Path)
    add("--network", choices=SHAPES, default="student", help="size of the network (default: %(default)s)")
    add("--stem", type=int, help="channels of the first convolution, instead of those of the network")
    add("--widths", type=numbers, help="channels of the stages, such as 32,64,96")
    add("--blocks", type=numbers, help="blocks of the stages, such as 1,2,2")
    add("--dropout", type=float, help="share of features that are dropped")
    add("--targets", choices=(VOTES, LABELS), default=VOTES, help="what to learn (default: %(default)s)")
    add("--taught", type=Path, help="predictions of teachers, written by the step attitude.teach")
    add("--init", type=Path, help="checkpoint or exported model to start from, instead of random weights")
    add("--epochs", type=int, default=EPOCHS, help="number of epochs (default: %(default)s)")
    add("--batch", type=int, default=BATCH, help="faces per step (default: %(default)s)")
    add("--rate", type=float, default=PEAK_RATE, help="peak learning rate (default: %(default)s)")
    add("--seed", type=int, default=1, help="seed of weights, order and augmentation (default: %(default)s)")
    Device.add_options(options_parser, precision="bfloat16")
    options = options_parser.parse_args(arguments)

    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    device = Device.of(options)
    fer, second = sets(options.data)
    parts = training_parts(fer, second, options.targets)
    if options.taught:
        predictions = read_predictions(options.taught, parts)
        parts = [taught(part, predicted) for part, predicted in zip(parts, predictions)]
    dataset = Training(parts, options.seed)
    validation = Validation(fer, second, options.targets)

    chosen = {key: getattr(options, key) for key in ("stem", "widths", "blocks", "dropout")}
    shape = replace(SHAPES[options.network], **{key: value for key, value in chosen.items() if value is not None})
    network = AttitudeNetwork(shape)
    if options.init:
        start_from(options.init, network, dataset)
    network = network.to(device.name, memory_format=torch.channels_last)
    steps = options.epochs * (len(dataset) // options.batch)
    if steps == 0:
        raise SystemExit(f"{options.data}: {len(dataset)} faces to train with, expected at least {options.batch}")
    optimization = Optimization(options.rate, WEIGHT_DECAY, WARMUP_STEPS, steps)
    print("faces:", len(dataset), "weights:", sum(p.numel() for p in network.parameters()), flush=True)
    train(
        TrainingState(network, optimization, options_of(shape)),
        dataset,
        validation,
        options.checkpoint,
        options.epochs,
        options.batch,
        device,
    )


if __name__ == "__main__":
    main()
