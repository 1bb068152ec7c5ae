# SPDX-License-Identifier: MPL-2.0
"""Trains a face detector.

    python3 -m attitude_training.detector.train TRAINING VALIDATION CHECKPOINT.pt [--init MODEL] [--rate R]
        [--epochs N]

TRAINING and VALIDATION are folders written by the step detector.composites. The initial weights are random, or those of
a trained network. An interrupted run is resumed after its last complete epoch by the same command. Prints figures of
the mean weights per epoch: the recall of faces of at least 16 px, and the number of false faces per picture, at scores
of 0.5 and 0.6.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss
from torch.utils.data import DataLoader

from ..common.checkpoint import Optimization, TrainingState
from ..common.command_line import parser
from ..common.device import Device
from ..common.onnx_import import renormalize
from .detections import FIELDS, SCORE
from .network import LUMA_SCALE, DetectorNetwork, load
from .shards import Shard, Training, shards_in
from .targets import SIZE, WEIGHT
from .validation import validate

BATCH = 32
PEAK_RATE = 5e-3
WARMUP_STEPS = 300
WEIGHT_DECAY = 1e-3
EPOCHS = 10
# Weight of the loss of the geometry relative to the score.
GEOMETRY_WEIGHT = 4.0
# Geometry error, in sizes of the face, above which the loss is linear.
GEOMETRY_BEND = 0.03
# Exponent that reduces the weight of cells with small errors (Li et al., "Generalized Focal Loss", 2020).
FOCUS = 1.5
# Channels of the geometry whose errors are relative to the size already: the logarithms of width and height.
LOGARITHMS = slice(2, 4)


def losses(
    outputs: Sequence[tuple[torch.Tensor, torch.Tensor]], targets: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the losses of score and geometry of the outputs of the heads, for targets (n, CHANNELS, cells)."""
    score = torch.cat([level[0].flatten(1) for level in outputs], 1).float()
    geometry = torch.cat([level[1].flatten(2) for level in outputs], 2).float()
    wanted, size, weight = targets[:, SCORE], targets[:, SIZE], targets[:, WEIGHT]
    faces = wanted.sum() + 1

    focus = weight * (torch.sigmoid(score.detach()) - wanted).abs() ** FOCUS
    score_loss = (focus * binary_cross_entropy_with_logits(score, wanted, reduction="none")).sum() / faces

    # Offsets are relative to the size of the face.
    unit = size[:, None].repeat(1, FIELDS - 1, 1)
    unit[:, LOGARITHMS] = 1
    error = (geometry - targets[:, 1:FIELDS]) / unit
    bent = smooth_l1_loss(error, torch.zeros_like(error), reduction="none", beta=GEOMETRY_BEND)
    geometry_loss = (bent.mean(1) * wanted).sum() / faces
    return score_loss, geometry_loss


def train(
    state: TrainingState,
    dataset: Training,
    validation: Sequence[Shard],
    checkpoint: Path,
    epochs: int,
    device: Device,
) -> None:
    """Trains for the epochs that are left, and saves a checkpoint after each."""
    first_epoch = state.resume(checkpoint)
    for epoch in range(first_epoch, epochs):
        started = time.monotonic()
        dataset.start(epoch)
        state.network.train()
        totals = np.zeros(2)
        for luma, targets in DataLoader(dataset, None, **device.loader_options()):
            inputs = luma.to(device.name, torch.float32, memory_format=torch.channels_last) / LUMA_SCALE
            with device.autocast():
                outputs = state.network(inputs)
            score_loss, geometry_loss = losses(outputs, targets.to(device.name))
            state.step(score_loss + GEOMETRY_WEIGHT * geometry_loss)
            totals += score_loss.item(), geometry_loss.item()
        score_mean, geometry_mean = totals / len(dataset)
        print(
            f"epoch {epoch + 1} score {score_mean:.4f} geometry {geometry_mean:.4f} "
            f"{validate(state.mean.network, validation)} seconds {time.monotonic() - started:.0f}",
            flush=True,
        )
        state.save(checkpoint, epoch + 1)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("training", type=Path)
    add("validation", type=Path)
    add("checkpoint", type=Path)
    add("--init", type=Path, help="checkpoint or exported model to start from")
    add("--rate", type=float, default=PEAK_RATE, help="peak learning rate (default: %(default)s)")
    add("--epochs", type=int, default=EPOCHS, help="number of epochs (default: %(default)s)")
    add("--batch", type=int, default=BATCH, help="pictures per step (default: %(default)s)")
    add("--seed", type=int, default=1, help="seed of weights, order and augmentation (default: %(default)s)")
    # bfloat16 has 8 bits, too few for the positions of landmarks.
    Device.add_options(options_parser, precision="float32")
    options = options_parser.parse_args(arguments)

    torch.manual_seed(options.seed)
    cv2.setNumThreads(1)
    device = Device.of(options)
    dataset = Training(shards_in(options.training), options.batch, options.seed)
    if len(dataset) == 0:
        raise SystemExit(f"{options.training}: no size has the {options.batch} pictures of a batch")
    network = DetectorNetwork()
    if options.init:
        network = load(options.init)
        renormalize(network, dataset[0][0] / LUMA_SCALE)
    network = network.to(device.name, memory_format=torch.channels_last)
    optimization = Optimization(options.rate, WEIGHT_DECAY, WARMUP_STEPS, options.epochs * len(dataset))
    weights = sum(p.numel() for p in network.parameters())
    print("pictures:", len(dataset) * options.batch, "weights:", weights, flush=True)
    train(
        TrainingState(network, optimization),
        dataset,
        shards_in(options.validation),
        options.checkpoint,
        options.epochs,
        device,
    )


if __name__ == "__main__":
    main()
