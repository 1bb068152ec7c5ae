# SPDX-License-Identifier: MPL-2.0
"""What is kept of a training, so that it can go on where its last epoch ended."""

import os

import torch


def save(path, epoch, network, mean, optimizer, schedule):
    """Keeps what there is after `epoch` epochs; `mean` is a WeightMean. A failure leaves the old file as it was."""
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
    """Takes up what was kept, if anything was. Returns how many epochs are done."""
    if not path.exists():
        return 0
    saved = torch.load(path)
    network.load_state_dict(saved["network"])
    mean.network.load_state_dict(saved["mean"])
    mean.steps = saved["steps"]
    optimizer.load_state_dict(saved["optimizer"])
    schedule.load_state_dict(saved["schedule"])
    print("going on after epoch", saved["epoch"], flush=True)
    return saved["epoch"]
