# SPDX-License-Identifier: MPL-2.0
"""Defines the attitude classifier, a small ResNet with two heads."""

import torch
from torch import nn

from faces import ATTITUDES, EMOTIONS

# Width of the stem; width, number of blocks and stride of each stage, with 24x24, 12x12 and 6x6 pixels. All widths are
# multiples of 16, the block size of ONNX Runtime's convolutions on a CPU.
STEM = 16
STAGES = ((32, 1, 1), (64, 2, 2), (96, 2, 2))


def convolution(inputs, outputs, side, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al., "Deep Residual Learning", 2015).

    If the block halves the size, the shortcut averages (He, T. et al., "Bag of Tricks", 2018).
    """

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs, 3)
        shortcut = [nn.AvgPool2d(2)] if stride == 2 else []
        if inputs != outputs:
            shortcut.append(convolution(inputs, outputs, 1))
        self.past = nn.Sequential(*shortcut)  # Checkpoints contain this name.

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))) + self.past(x))


class AttitudeNetwork(nn.Module):
    """Maps luma (n, 1, 48, 48), 0..255, to logits of ATTITUDES (n, 3) and of EMOTIONS (n, 8)."""

    def __init__(self):
        super().__init__()
        self.stem = convolution(1, STEM, 5, 2)
        blocks, inputs = [], STEM
        for width, count, stride in STAGES:
            for index in range(count):
                blocks.append(Block(inputs, width, stride if index == 0 else 1))
                inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.drop = nn.Dropout(0.1)
        self.attitude = nn.Linear(inputs, len(ATTITUDES))
        self.emotion = nn.Linear(inputs, len(EMOTIONS))
        # Each block starts as its shortcut, so that a deep network starts like a shallow one.
        for block in blocks:
            nn.init.zeros_(block.second[1].weight)

    def forward(self, luma):
        x = torch.relu(self.stem((luma - 127.5) / 64))
        features = self.drop(self.blocks(x).mean((2, 3)))
        return self.attitude(features), self.emotion(features)


def load(checkpoint):
    """Loads the network with the mean weights of a checkpoint of train_attitude.py."""
    network = AttitudeNetwork()
    network.load_state_dict(torch.load(checkpoint)["mean"])
    return network.eval().to(memory_format=torch.channels_last)


class Probabilities(nn.Module):
    """Converts the logits of the network to probabilities, with one temperature per head, for export."""

    def __init__(self, network, attitude_temperature, emotion_temperature):
        super().__init__()
        self.network = network
        self.temperatures = (attitude_temperature, emotion_temperature)

    def forward(self, luma):
        logits = self.network(luma)
        return tuple(torch.softmax(z / t, 1) for z, t in zip(logits, self.temperatures))
