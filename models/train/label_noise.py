# SPDX-License-Identifier: MPL-2.0
"""Estimates the accuracy that the noise in the labels allows.

    python3 models/train/label_noise.py DATA [CHECKPOINT.pt ...]

FER2013 has a label and the votes of ten people per face. Prints how often the majority of the voters agrees with the
label, overall and by their agreement with each other, and the accuracy of the best prediction of the label from all
votes: the accuracy of a classifier that sees a face as well as ten people, and knows how the labels differ from their
votes. With checkpoints of several trainings, prints how often they agree with each other and with the label on the
validation split, the accuracy of their mean, and how often all are wrong.
"""

import sys
from itertools import combinations

import numpy as np
import torch

import faces
from attitude_network import load
from report_attitude import majority
from train_attitude import clean_crops, logits


def voters(fer):
    best, has_majority = majority(fer)
    agrees = best == fer.attitude
    counts = np.stack([fer.votes[:, faces.ATTITUDE_OF_EMOTION == a].sum(1) for a in range(3)], 1).max(1)
    print(f"FER2013, {len(fer)} pictures")
    print(f"majority agrees with the label: {agrees.mean():.3f}; without ties: {agrees[has_majority].mean():.3f}")
    for low, high in ((0, 0.45), (0.45, 0.65), (0.65, 0.85), (0.85, 0.95), (0.95, 1.01)):
        chosen = (counts >= low) & (counts < high)
        share = f"{low:.2f} to {min(high, 1):.2f}"
        print(f"  if {share} of the voters agree ({chosen.mean():.1%}): {agrees[chosen].mean():.3f}")
    predicted = faces.label_from_votes(fer).argmax(1)
    print(f"best prediction of the label from all votes: {(predicted == fer.attitude).mean():.3f}")


@torch.no_grad()
def predictions(checkpoint, crops):
    return torch.softmax(logits(load(checkpoint), crops)[0], 1).numpy()


def seeds(name, part, checkpoints):
    crops = clean_crops(part)
    predicted = [predictions(checkpoint, crops) for checkpoint in checkpoints]
    accuracies = [(scores.argmax(1) == part.attitude).mean() for scores in predicted]
    agreement = [(a.argmax(1) == b.argmax(1)).mean() for a, b in combinations(predicted, 2)]
    mean = (np.mean(predicted, 0).argmax(1) == part.attitude).mean()
    all_wrong = np.all([scores.argmax(1) != part.attitude for scores in predicted], 0).mean()
    print(f"{name}: accuracies {', '.join(f'{accuracy:.3f}' for accuracy in accuracies)}; of their mean {mean:.3f}")
    print(f"  agreement of two {np.mean(agreement):.3f}; all wrong {all_wrong:.3f}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    data, *checkpoints = sys.argv[1:]
    fer = faces.fer2013(data)
    voters(fer)
    if len(checkpoints) > 1:
        seeds("FER2013", fer.of(faces.VALIDATION), checkpoints)
        seeds("second set", faces.second_set(data).of(faces.VALIDATION), checkpoints)


if __name__ == "__main__":
    main()
