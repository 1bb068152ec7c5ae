# SPDX-License-Identifier: MPL-2.0
"""Estimates the accuracy that the noise in labels and votes allows.

    python3 -m attitude_training.attitude.label_noise DATA [CHECKPOINT.pt...]

FER2013 has a label and the votes of ten people per face. Prints how often the majority of the voters agrees with the
label, overall and by their agreement with each other; the accuracy of the best prediction of the label from all votes:
the accuracy of a classifier that sees a face as well as ten people, and knows how the labels differ from their votes;
and how often a random voter agrees with the majority of the others. With checkpoints of several trainings, prints how
often they agree with each other and with the truth on the validation split, the accuracy of their mean, and how often
all are wrong.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from ..common.command_line import parser
from ..common.markdown import table
from ..data.faces import VALIDATION, Faces
from ..data.labels import bucketed
from .crop import crops
from .network import emotions, load
from .targets import expected_labels, sets

# Limits of the ranges of the voters' agreement. Votes are tenths, if none was dropped.
AGREEMENTS = (0, 0.45, 0.65, 0.85, 0.95, 1.01)
# Voters per face.
VOTERS = 10


def voters(fer: Faces) -> str:
    """Formats how often voters and labels agree."""
    best, is_unique = fer.majority()
    agrees = best == fer.attitude
    agreement = fer.voted_attitudes().max(1)
    rows = [("all faces", 1.0, float(agrees.mean())), ("a majority", is_unique.mean(), float(agrees[is_unique].mean()))]
    for low, high in pairwise(AGREEMENTS):
        chosen = (agreement >= low) & (agreement < high)
        if chosen.any():
            name = f"{low:.2f} to {min(high, 1):.2f} of the voters agree"
            rows.append((name, float(chosen.mean()), float(agrees[chosen].mean())))
    return table(("FER2013", "share of faces", "majority agrees with the label"), rows)


def voter_accuracy(fer: Faces) -> float:
    """Returns how often one voter agrees with the unique majority of the other voters, 0 to 1."""
    votes = np.round(VOTERS * fer.voted_attitudes())
    agreeing = total = 0.0
    for attitude in range(votes.shape[1]):
        others = votes.copy()
        others[:, attitude] -= 1
        ordered = np.sort(others, 1)
        counted = votes[:, attitude] * (ordered[:, -1] > ordered[:, -2])
        agreeing += counted[others.argmax(1) == attitude].sum()
        total += counted.sum()
    return agreeing / total


def trainings(name: str, part: Faces, truth: np.ndarray, checkpoints: Sequence[Path]) -> tuple:
    """Returns a row about several trainings."""
    pixels = crops(part.images, part.landmarks)
    predicted = [bucketed(emotions(load(checkpoint), pixels)) for checkpoint in checkpoints]
    chosen = [rows.argmax(1) for rows in predicted]
    return (
        name,
        ", ".join(f"{(best == truth).mean():.3f}" for best in chosen),
        float((np.mean(predicted, 0).argmax(1) == truth).mean()),
        float(np.mean([(a == b).mean() for a, b in combinations(chosen, 2)])),
        float(np.all([best != truth for best in chosen], 0).mean()),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    options_parser.add_argument("data", type=Path)
    options_parser.add_argument("checkpoints", type=Path, nargs="*")
    options = options_parser.parse_args(arguments)

    fer, second = sets(options.data)
    print(voters(fer))
    predicted = expected_labels(fer).argmax(1)
    print(f"\nBest prediction of the label from all votes: {(predicted == fer.attitude).mean():.3f}")
    print(f"One voter agrees with the majority of the others: {voter_accuracy(fer):.3f}")
    if len(options.checkpoints) > 1:
        fer, second = fer.of(VALIDATION), second.of(VALIDATION)
        majority, is_unique = fer.majority()
        rows = [
            trainings("FER2013", fer.at(np.flatnonzero(is_unique)), majority[is_unique], options.checkpoints),
            trainings("second set", second, second.attitude, options.checkpoints),
        ]
        headings = ("faces", "accuracies", "accuracy of the mean", "agreement of two", "all wrong")
        print("\n" + table(headings, rows))


if __name__ == "__main__":
    main()
