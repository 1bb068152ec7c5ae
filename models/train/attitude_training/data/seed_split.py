# SPDX-License-Identifier: MPL-2.0
"""Divides the faces like the recipe of 2019: a random 70% for training and 30% for testing.

Faces of one person are in both parts, so figures on the 30% are too high for people whom the model has not seen. The
test split of this project is part of the 30%.
"""

import numpy as np

from .faces import TEST

TRAINING_SHARE = 0.7


def seed_split(splits: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the indices of the training and of the test part, for the splits (n,) of all faces."""
    is_our_test = splits == TEST
    order = rng.permutation(np.flatnonzero(~is_our_test))
    training, rest = np.split(order, [round(TRAINING_SHARE * len(splits))])
    return training, np.concatenate([rest, np.flatnonzero(is_our_test)])
