# SPDX-License-Identifier: MPL-2.0
"""The default face detector: a small convolutional network without anchors that looks at three strides."""

import copy

import torch
from torch import nn
from torch.nn.functional import interpolate

# Channels of the stem's two steps; width and blocks of the strides 8, 16, 32, and the side of their kernels. Where the
# map is small, width and sight cost little.
STEM = (16, 32)
LEVELS = ((64, 4, 3), (96, 2, 5), (96, 2, 5))
HEAD = 64
# What luma is divided by before the network sees it. It is not centred: so what convolutions pad with is black, as is what
# the plugin fills up the input with.
LUMA_SCALE = 64
# Of a cell with a face before anything is learnt; so the many cells without one do not drown the rest at the start.
PRIOR = -4.0


def convolution(inputs, outputs, side, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class Block(nn.Module):
    """A convolution of each channel by itself, then one across channels (Howard et al., "MobileNets", 2017), and where
    the size stays what goes past both."""

    def __init__(self, inputs, outputs, side=3, stride=1):
        super().__init__()
        self.spatial = convolution(inputs, inputs, side, stride, inputs)
        self.mixing = convolution(inputs, outputs, 1)
        self.has_past = inputs == outputs and stride == 1

    def forward(self, x):
        y = self.mixing(torch.relu_(self.spatial(x)))
        return torch.relu_(y + x if self.has_past else y)


class Head(nn.Module):
    """Features of one stride to score (n, 1, rows, columns), as a logit, and geometry (n, 14, rows, columns)."""

    def __init__(self, inputs):
        super().__init__()
        self.block = Block(inputs, HEAD)
        self.score = nn.Conv2d(HEAD, 1, 1)
        self.geometry = nn.Conv2d(HEAD, 14, 1)
        nn.init.constant_(self.score.bias, PRIOR)

    def forward(self, x):
        x = self.block(x)
        return self.score(x), self.geometry(x)


class DetectorNetwork(nn.Module):
    """Luma by LUMA_SCALE (n, 1, H, W), H and W multiples of 32, to what the heads of the strides 8, 16 and 32 give."""

    def __init__(self):
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
        self.down = nn.ModuleList(Block(above, below) for below, above in zip(widths, widths[1:]))
        self.heads = nn.ModuleList(Head(width) for width in widths)

    def forward(self, luma):
        x = self.stem(torch.relu_(self.first(luma)))
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        # What a large stride has understood helps the smaller ones.
        for level in (1, 0):
            features[level] = features[level] + interpolate(self.down[level](features[level + 1]), scale_factor=2.0)
        return [head(x) for head, x in zip(self.heads, features)]


def load(checkpoint):
    """The network whose weights are the running mean of a training."""
    network = DetectorNetwork()
    network.load_state_dict(torch.load(checkpoint)["mean"])
    return network.eval()


class Maps(nn.Module):
    """What is exported: luma (n, 1, H, W), 0..255, to the maps of the head `center-maps`. A score is the sigmoid of
    `slope` times its logit plus `shift`."""

    def __init__(self, network, slope=1.0, shift=0.0):
        super().__init__()
        self.network = copy.deepcopy(network)
        # What would be done to each pixel and each cell is done to the weights.
        self.network.first[0].weight.data /= LUMA_SCALE
        for head in self.network.heads:
            head.score.weight.data *= slope
            head.score.bias.data = slope * head.score.bias.data + shift

    def forward(self, luma):
        return tuple(torch.cat([torch.sigmoid(score), geometry], 1) for score, geometry in self.network(luma))
