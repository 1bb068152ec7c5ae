# SPDX-License-Identifier: MPL-2.0
"""Defines the attitudes and emotions, and how one follows from the other."""

import numpy as np

# The order of both outputs of the classifier, as in models/attitude.toml. The emotions are the columns of FER+ without
# "unknown" and "not a face".
ATTITUDES = ("positive", "neutral", "negative")
EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
POSITIVE, NEUTRAL, NEGATIVE = range(len(ATTITUDES))

# Happiness is positive, neutral is neutral, all others are negative: the mapping of the recipe in seed.py.
ATTITUDE_OF_EMOTION = np.array([NEUTRAL, POSITIVE] + [NEGATIVE] * (len(EMOTIONS) - 2))
# Labels of FER2013; all others are negative.
ATTITUDE_OF_FER2013 = {"happy": POSITIVE, "neutral": NEUTRAL}
# Matrix (8, 3) that sums the emotions of each attitude.
BUCKETS = np.eye(len(ATTITUDES), dtype=np.float32)[ATTITUDE_OF_EMOTION]


def bucketed(emotions: np.ndarray) -> np.ndarray:
    """Returns the attitudes (n, 3) of shares or probabilities of emotions (n, 8)."""
    return emotions @ BUCKETS
