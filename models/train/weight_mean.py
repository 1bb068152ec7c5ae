# SPDX-License-Identifier: MPL-2.0
"""A network whose weights are the running mean of another's: what is evaluated and exported."""

import copy

import torch

MEAN_DECAY = 0.998


class WeightMean:
    """A running mean of a network's weights and statistics."""

    def __init__(self, network):
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.steps = 0

    @torch.no_grad()
    def update(self, network):
        self.steps += 1
        decay = min(MEAN_DECAY, self.steps / (self.steps + 10))
        for mean, value in zip(self.network.state_dict().values(), network.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)
