# SPDX-License-Identifier: MPL-2.0
"""Saves the state of a training after each epoch, so that it can be resumed."""

import os

import torch


def save(path, epoch, network, mean, optimizer, schedule):
    """Saves the state after `epoch` epochs atomically; `mean` is a WeightMean."""
    new = path.with_suffix(".new")
    torch.save(
        {
            "epoch": epoch,
            "network": network.state_dict(),
            "mean": mean.network.state_dict(),
            "steps": mean.steps,
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
        },
        new,
    )
    os.replace(new, path)


def resume(path, network, mean, optimizer, schedule):
    """Restores the saved state if the file exists. Returns the number of completed epochs."""
    if not path.exists():
        return 0
    saved = torch.load(path)
    network.load_state_dict(saved["network"])
    mean.network.load_state_dict(saved["mean"])
    mean.steps = saved["steps"]
    optimizer.load_state_dict(saved["optimizer"])
    schedule.load_state_dict(saved["schedule"])
    print("resuming after epoch", saved["epoch"], flush=True)
    return saved["epoch"]
