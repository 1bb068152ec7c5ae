# SPDX-License-Identifier: MPL-2.0
"""Prints how well the variant for the original labels agrees with them, as the recipe of 2019 counts.

    python3 -m attitude_training.attitude.label_variant DATA CHECKPOINT.pt

The checkpoint is one of the step attitude.train with `--targets labels`. The faces are the 30% that the recipe of 2019
tests with, in which all have the same weight; people in them are also in the training part. Prints the figures of one
prediction per face, and of the mean of those for a face and its mirror image.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..common.command_line import parser
from ..common.markdown import table
from ..data.labels import bucketed
from . import metrics
from .crop import crops
from .network import emotions, load
from .targets import seed_parts, sets
from .teach import predict


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("data", type=Path)
    options_parser.add_argument("checkpoint", type=Path)
    options = options_parser.parse_args(arguments)

    network = load(options.checkpoint)
    _, parts = seed_parts(*sets(options.data))
    truth = np.concatenate([part.attitude for part in parts])
    pixels = np.concatenate([crops(part.images, part.landmarks) for part in parts])
    predictions = {"once": emotions(network, pixels), "with its mirror image": predict([network], pixels)}
    rows = []
    for name, predicted in predictions.items():
        row = metrics.summary(truth, bucketed(predicted), metrics.equal_weights(len(truth)))
        rows.append((name, len(truth), *row.values()))
    print(table(("each face", "faces", *row), rows))


if __name__ == "__main__":
    main()
