# SPDX-License-Identifier: MPL-2.0
"""Defines the classifier, a small ResNet with one output per emotion."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import log_softmax

from ..common.checkpoint import mean_weights
from ..common.onnx_import import EXPORTED, layer_shapes, restore
from ..data.labels import ATTITUDE_OF_EMOTION, ATTITUDES, BUCKETS, EMOTIONS

# Mean and scale of luma in the network, about those of the training faces.
LUMA_MEAN, LUMA_SCALE = 127.5, 64
# Side of the first convolution, which halves the crop to 24x24 px.
STEM_SIDE = 5
# Number of crops per inference: more are not faster on a CPU.
INFERENCE_BATCH = 512


@dataclass(frozen=True)
class Shape:
    """The size of a network.

    stem: channels of the first convolution.
    widths, blocks: channels and number of blocks of the stages with 24x24, 12x12 and 6x6 px. Channels should be
        multiples of 16, the block size of ONNX Runtime's convolutions on a CPU.
    dropout: share of the features that are dropped in training.
    """

    stem: int
    widths: tuple[int, ...]
    blocks: tuple[int, ...]
    dropout: float


# The classifier that is shipped, and its teachers, which have four times the weights.
SHAPES = {
    "student": Shape(stem=16, widths=(32, 64, 96), blocks=(1, 3, 4), dropout=0.1),
    "teacher": Shape(stem=32, widths=(64, 128, 192), blocks=(2, 2, 2), dropout=0.2),
}


def convolution(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Sequential:
    """Returns a padded convolution with batch normalization."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al., "Deep Residual Learning", 2015).

    If the block halves the size, the shortcut averages (He, T. et al., "Bag of Tricks", 2018).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3)
        shortcut: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        if inputs != outputs:
            shortcut.append(convolution(inputs, outputs, 1))
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class AttitudeNetwork(nn.Module):
    """Maps luma (n, 1, 48, 48), 0..255, to logits of EMOTIONS (n, 8)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = convolution(1, shape.stem, STEM_SIDE, 2)
        blocks: list[Block] = []
        inputs = shape.stem
        for stage, (width, count) in enumerate(zip(shape.widths, shape.blocks)):
            for index in range(count):
                blocks.append(Block(inputs, width, 2 if stage > 0 and index == 0 else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.drop = nn.Dropout(shape.dropout)
        self.emotion = nn.Linear(inputs, len(EMOTIONS))
        # Each block starts as its shortcut, so that a deep network starts like a shallow one.
        for block in blocks:
            nn.init.zeros_(block.second[1].weight)

    def features(self, luma: torch.Tensor) -> torch.Tensor:
        """Returns what the logits are linear functions of (n, features)."""
        x = torch.relu(self.stem((luma - LUMA_MEAN) / LUMA_SCALE))
        return self.blocks(x).mean((2, 3))

    def forward(self, luma: torch.Tensor) -> torch.Tensor:
        return self.emotion(self.drop(self.features(luma)))


def log_attitudes(logits: torch.Tensor) -> torch.Tensor:
    """Returns the logarithms of the probabilities of ATTITUDES (n, 3) for logits of EMOTIONS (n, 8)."""
    log_emotions = log_softmax(logits, 1)
    members = [np.flatnonzero(ATTITUDE_OF_EMOTION == attitude).tolist() for attitude in range(len(ATTITUDES))]
    return torch.stack([torch.logsumexp(log_emotions[:, columns], 1) for columns in members], 1)


# Least probability of an attitude, so that its logarithm is finite.
MIN_PROBABILITY = 1e-9


class Probabilities(nn.Module):
    """Maps luma to probabilities of attitudes (n, 3), of emotions (n, 8) and of a face (n, 1), for export.

    The logarithms of the attitudes are divided by a temperature, which does not change their order. The emotions are
    scaled with their attitude: its probability is always their sum. `face` maps the features of the network to the
    logit of a face.
    """

    def __init__(self, network: AttitudeNetwork, temperature: float, face: nn.Linear) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.face = face
        self.register_buffer("buckets", torch.from_numpy(BUCKETS))

    def forward(self, luma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        features = self.network.features(luma)
        emotions = torch.softmax(self.network.emotion(features), 1)
        sums = (emotions @ self.buckets).clamp_min(MIN_PROBABILITY)
        attitudes = torch.softmax(torch.log(sums) / self.temperature, 1)
        emotions = emotions * ((attitudes / sums) @ self.buckets.T)
        return attitudes, emotions, torch.sigmoid(self.face(features))


def options_of(shape: Shape) -> dict[str, object]:
    """Returns a shape as it is stored in checkpoints."""
    return asdict(shape)


def exported_shape(path: Path) -> Shape:
    """Returns the shape of an exported network, without dropout."""
    shapes = layer_shapes(path)
    firsts = [shape for name, shape in shapes.items() if name.startswith("blocks.") and name.endswith(".first.0")]
    channels = [outputs for outputs, *_ in firsts]
    widths = tuple(dict.fromkeys(channels))
    return Shape(shapes["stem.0"][0], widths, tuple(channels.count(width) for width in widths), 0.0)


def deepen(network: AttitudeNetwork, source: AttitudeNetwork) -> None:
    """Sets the weights to those of a network with the same widths and at most as many blocks in each stage.

    A block that the other network does not have stays its shortcut, so that both compute the same.
    """
    of_widths: dict[int, list[nn.Module]] = {}
    for block in network.blocks:
        of_widths.setdefault(block.first[0].out_channels, []).append(block)
    for block in source.blocks:
        of_widths[block.first[0].out_channels].pop(0).load_state_dict(block.state_dict())
    network.stem.load_state_dict(source.stem.state_dict())
    network.emotion.load_state_dict(source.emotion.state_dict())


def load(path: Path) -> AttitudeNetwork:
    """Loads the network with the mean weights of a checkpoint of train.py, or an exported network."""
    if path.suffix == EXPORTED:
        network = AttitudeNetwork(exported_shape(path))
        restore(network, path)
        return network.eval().to(memory_format=torch.channels_last)
    options, weights = mean_weights(path)
    network = AttitudeNetwork(Shape(**options))
    network.load_state_dict(weights)
    return network.eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def logits(network: nn.Module, crops: np.ndarray) -> torch.Tensor:
    """Returns the logits (n, 8), on the CPU, of crops (n, 1, 48, 48), 0..255."""
    network.eval()
    device = next(network.parameters()).device
    batches = torch.from_numpy(crops).split(INFERENCE_BATCH)
    return torch.cat([network(batch.to(device)).cpu() for batch in batches])


def emotions(network: nn.Module, crops: np.ndarray) -> np.ndarray:
    """Returns the probabilities of EMOTIONS (n, 8) of crops (n, 1, 48, 48), 0..255."""
    return torch.softmax(logits(network, crops), 1).numpy()
