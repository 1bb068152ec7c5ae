# SPDX-License-Identifier: MPL-2.0
"""Holds the state of a training, saves it after each epoch, and resumes it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .schedule import warm_cosine
from .weight_mean import WeightMean


@dataclass(frozen=True)
class Optimization:
    """How the weights change.

    rate: the peak learning rate of AdamW (Loshchilov and Hutter, "Decoupled Weight Decay", 2019).
    weight_decay: its weight decay.
    warmup_steps: the number of steps until the peak rate is reached.
    steps: the number of steps of the whole training.
    """

    rate: float
    weight_decay: float
    warmup_steps: int
    steps: int


class TrainingState:
    """A network in training: its weights, their mean, the optimizer and the learning rate."""

    def __init__(self, network: nn.Module, optimization: Optimization, options: dict[str, Any] | None = None) -> None:
        """Starts a training.

        `options` describe the network; they are stored with the weights, and a resumed training must have the same.
        """
        self.network = network
        self.options = options or {}
        self.mean = WeightMean(network)
        self.optimizer = torch.optim.AdamW(
            network.parameters(), optimization.rate, weight_decay=optimization.weight_decay
        )
        factor = warm_cosine(optimization.steps, optimization.warmup_steps)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, factor)

    def step(self, loss: torch.Tensor) -> None:
        """Changes the weights by the gradient of a loss, a scalar."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.mean.update(self.network)

    def save(self, path: Path, epoch: int) -> None:
        """Saves the state after `epoch` epochs atomically."""
        new = path.with_suffix(".new")
        torch.save(
            {
                "epoch": epoch,
                "options": self.options,
                "network": self.network.state_dict(),
                "mean": self.mean.network.state_dict(),
                "steps": self.mean.steps,
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
            },
            new,
        )
        os.replace(new, path)

    def resume(self, path: Path) -> int:
        """Restores the saved state if the file exists. Returns the number of completed epochs."""
        if not path.exists():
            return 0
        saved = torch.load(path, map_location="cpu")
        if saved["options"] != self.options:
            raise ValueError(f"{path}: the network is {saved['options']}, expected {self.options}; use another file")
        self.network.load_state_dict(saved["network"])
        self.mean.network.load_state_dict(saved["mean"])
        self.mean.steps = saved["steps"]
        self.optimizer.load_state_dict(saved["optimizer"])
        self.schedule.load_state_dict(saved["schedule"])
        print("resuming after epoch", saved["epoch"], flush=True)
        return saved["epoch"]


def mean_weights(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Returns the options of the network in a checkpoint, and the mean weights as a state dictionary."""
    saved = torch.load(path, map_location="cpu")
    return saved["options"], saved["mean"]
