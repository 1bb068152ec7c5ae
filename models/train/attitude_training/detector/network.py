# SPDX-License-Identifier: MPL-2.0
"""Defines the default face detector, a small convolutional network without anchors at three strides."""

import copy
import itertools
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import interpolate

from ..common.checkpoint import mean_weights
from ..common.onnx_import import EXPORTED, restore
from .detections import FIELDS

# Channels of the two steps of the stem; width, number of blocks and kernel size at the strides 8, 16 and 32. On small
# maps, more channels and larger kernels cost little.
STEM = (16, 32)
LEVELS = ((64, 4, 3), (96, 2, 5), (96, 2, 5))
HEAD = 64
# Number of blocks and kernel size of the context at stride 64, without which a cell sees only a part of a face of
# several hundred px.
CONTEXT = (2, 5)
# Divisor of luma. Luma is not centered, so that the padding of convolutions is black like the padding of the input by
# the plugin.
LUMA_SCALE = 64
# Initial logit of the score; prevents the many cells without a face from dominating the loss at the start.
PRIOR = -4.0


def convolution(inputs: int, outputs: int, side: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Returns a padded convolution with batch normalization."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    """A depthwise and a pointwise convolution (Howard et al., "MobileNets", 2017).

    If the shape does not change, the block has a shortcut.
    """

    def __init__(self, inputs: int, outputs: int, side: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.spatial = convolution(inputs, inputs, side, stride, inputs)
        self.mixing = convolution(inputs, outputs, 1)
        self.has_shortcut = inputs == outputs and stride == 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.mixing(torch.relu_(self.spatial(x)))
        return torch.relu_(y + x if self.has_shortcut else y)


class Head(nn.Module):
    """Maps features of one stride to score logits (n, 1, rows, columns) and geometry (n, 14, rows, columns)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.block = Block(inputs, HEAD)
        self.score = nn.Conv2d(HEAD, 1, 1)
        self.geometry = nn.Conv2d(HEAD, FIELDS - 1, 1)
        nn.init.constant_(self.score.bias, PRIOR)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.block(x)
        return self.score(x), self.geometry(x)


class DetectorNetwork(nn.Module):
    """Maps luma / LUMA_SCALE (n, 1, H, W), with H and W multiples of 32, to the outputs of the heads."""

    def __init__(self) -> None:
        super().__init__()
        self.first = convolution(1, STEM[0], 3, 2)
        self.stem = nn.Sequential(Block(STEM[0], STEM[1], 3, 2), Block(STEM[1], STEM[1]))
        inputs, stages = STEM[1], []
        for width, count, side in LEVELS:
            blocks = [Block(inputs, width, side)] + [Block(width, width, side) for _ in range(count - 1)]
            stages.append(nn.Sequential(nn.MaxPool2d(2), *blocks))
            inputs = width
        self.stages = nn.ModuleList(stages)
        widths = [level[0] for level in LEVELS]
        count, side = CONTEXT
        self.context = nn.Sequential(
            nn.MaxPool2d(2, ceil_mode=True), *(Block(widths[-1], widths[-1], side) for _ in range(count))
        )
        self.down = nn.ModuleList(Block(above, below) for below, above in itertools.pairwise(widths))
        self.heads = nn.ModuleList(Head(width) for width in widths)

    def forward(self, luma: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        x = self.stem(torch.relu_(self.first(luma)))
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        # Adds the features of larger strides to the smaller ones. The last map can have an odd number of rows.
        features[-1] = x + interpolate(self.context(x), size=x.shape[2:])
        for level in (1, 0):
            features[level] = features[level] + interpolate(self.down[level](features[level + 1]), scale_factor=2.0)
        return [head(x) for head, x in zip(self.heads, features)]


def load(path: Path) -> DetectorNetwork:
    """Loads the network with the mean weights of a checkpoint of train.py, or an exported network.

    The scores of an exported network keep their calibration. Its weights are random where it has none: version 0.1 had
    no context.
    """
    network = DetectorNetwork()
    if path.suffix == EXPORTED:
        restore(network, path)
        network.first[0].weight.data *= LUMA_SCALE
    else:
        network.load_state_dict(mean_weights(path)[1])
    return network.eval()


class Maps(nn.Module):
    """Maps luma (n, 1, H, W), 0..255, to the maps of the head `center-maps`, for export.

    A score is the sigmoid of `slope` times its logit plus `shift`.
    """

    def __init__(self, network: DetectorNetwork, slope: float = 1.0, shift: float = 0.0) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        # Applies the scale of luma, and slope and shift, to the weights instead of each pixel and cell.
        self.network.first[0].weight.data /= LUMA_SCALE
        for head in self.network.heads:
            head.score.weight.data *= slope
            head.score.bias.data = slope * head.score.bias.data + shift

    def forward(self, luma: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(torch.cat([torch.sigmoid(score), geometry], 1) for score, geometry in self.network(luma))
