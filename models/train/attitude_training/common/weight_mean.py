# SPDX-License-Identifier: MPL-2.0
"""Computes the running mean of the weights of a network, which is evaluated and exported."""

import copy

import torch
from torch import nn

# Share of the mean that a step keeps: a mean of about 500 steps, one to two epochs of either training.
MEAN_DECAY = 0.998
# Number of steps by which the mean lags at the beginning, so that it forgets the initial weights.
STARTING_LAG = 10


class WeightMean:
    """The running mean of the weights and statistics of a network (Polyak and Juditsky, 1992)."""

    def __init__(self, network: nn.Module) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Includes the weights after a step of the training."""
        self.steps += 1
        decay = min(MEAN_DECAY, self.steps / (self.steps + STARTING_LAG))
        for mean, value in zip(self.network.state_dict().values(), network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)
