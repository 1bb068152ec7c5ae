# SPDX-License-Identifier: MPL-2.0
"""Defines the options of a training that depend on the machine."""

import argparse
from dataclasses import dataclass

import torch

PRECISIONS = {"bfloat16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True)
class Device:
    """Where and how a training computes.

    name: the device in PyTorch's notation: `cpu`, `cuda`.
    precision: the type of activations; weights and losses are float32.
    workers: the number of processes that prepare batches; 0 prepares them in the training's process.
    """

    name: str
    precision: torch.dtype
    workers: int

    def autocast(self) -> torch.autocast:
        """Returns the context in which the network computes in `precision`."""
        return torch.autocast(self.name, self.precision, enabled=self.precision != torch.float32)

    def loader_options(self) -> dict[str, int]:
        """Returns the options of a DataLoader."""
        return {"num_workers": self.workers, "prefetch_factor": 8} if self.workers else {}

    @staticmethod
    def add_options(parser: argparse.ArgumentParser, precision: str) -> None:
        """Adds the options; `precision` is the default one."""
        default = "cuda" if torch.cuda.is_available() else "cpu"
        parser.add_argument("--device", default=default, help="device of PyTorch (default: %(default)s)")
        parser.add_argument(
            "--precision",
            choices=PRECISIONS,
            default=precision,
            help="type of activations (default: %(default)s); bfloat16 is slow on CPUs without AMX or AVX512-BF16",
        )
        parser.add_argument(
            "--workers", type=int, default=1, help="processes that prepare batches (default: %(default)s)"
        )

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Device":
        """Returns the device that the options describe."""
        return cls(options.device, PRECISIONS[options.precision], options.workers)
