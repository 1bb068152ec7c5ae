# SPDX-License-Identifier: MPL-2.0
"""Computes the running mean of the weights of a network, which is evaluated and exported."""

import copy

import torch

MEAN_DECAY = 0.998


class WeightMean:
    """The running mean of the weights and statistics of a network."""

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
