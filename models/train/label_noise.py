# SPDX-License-Identifier: MPL-2.0
"""How far the labels allow a classifier to agree with them.

    python3 models/train/label_noise.py DATA [CHECKPOINT.pt ...]

FER2013 has the votes of ten people beside each label. Prints how often their majority agrees with the label, overall and by
how many of them agree with each other, and how often the best guess of the label from all ten votes is right: what a
classifier could reach that sees a face as well as ten people do, and knows how the labels differ from their opinion. With
checkpoints of several trainings: how often they agree with each other and with the label on the validation split, what their
mean reaches, and how often all are wrong.
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
    print(f"majority of voters agrees with the label: {agrees.mean():.3f}; without ties: {agrees[has_majority].mean():.3f}")
    for low, high in ((0, 0.45), (0.45, 0.65), (0.65, 0.85), (0.85, 0.95), (0.95, 1.01)):
        chosen = (counts >= low) & (counts < high)
        print(f"  where {low:.2f} to {min(high, 1):.2f} of them agree ({chosen.mean():.1%}): {agrees[chosen].mean():.3f}")
    guess = faces.label_from_votes(fer).argmax(1)
    print(f"best guess of the label from all votes: {(guess == fer.attitude).mean():.3f}")


@torch.no_grad()
def answers(checkpoint, crops):
    return torch.softmax(logits(load(checkpoint), crops)[0], 1).numpy()


def seeds(name, part, checkpoints):
    crops = clean_crops(part)
    found = [answers(checkpoint, crops) for checkpoint in checkpoints]
    right = [(scores.argmax(1) == part.attitude).mean() for scores in found]
    alike = [(a.argmax(1) == b.argmax(1)).mean() for a, b in combinations(found, 2)]
    mean = np.mean(found, 0).argmax(1)
    all_wrong = np.all([scores.argmax(1) != part.attitude for scores in found], 0).mean()
    print(f"{name}: right {', '.join(f'{share:.3f}' for share in right)}; their mean {(mean == part.attitude).mean():.3f}")
    print(f"  two agree with each other {np.mean(alike):.3f}; all are wrong {all_wrong:.3f}")


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
