# SPDX-License-Identifier: MPL-2.0
"""Defines the faces of a training and what the classifier should say about them.

A target is a distribution over the eight emotions. There are two kinds:

    votes   what FER+'s voters say about a face of FER2013, and the label of a photo of the second set. This is the
            kind of the default classifier.
    labels  what the original labels of FER2013 say, on the training part of the recipe of 2019 (data/seed_split.py).
            This kind answers how well a classifier can agree with these labels.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from ..data import fer2013, second_set
from ..data.faces import TRAIN, Faces
from ..data.labels import ATTITUDE_OF_EMOTION, ATTITUDES, BUCKETS, EMOTIONS, bucketed
from ..data.seed_split import seed_split

VOTES, LABELS = "votes", "labels"
FER2013, SECOND_SET = "fer2013", "second_set"

# Minimum share of voters who saw an emotion, rather than none or no face. Below it, the others decide too little.
MIN_EMOTION_SHARE = 0.5
# Share of the uniform distribution in the targets of the second set, which has one label per face, and some errors.
SMOOTHING = 0.1
# Share of the original label in a target of the kind `labels`; the rest is what the votes let expect of the label.
LABEL_SHARE = 0.5
# Folds of the cross-validation of that expectation.
FOLDS = 5
# Number of votes that the mean distribution counts for, where an attitude is divided among its emotions.
PRIOR_VOTES = 0.1

# Share of the teachers' prediction in a target (Hinton et al., "Distilling the Knowledge", 2015).
TEACHER_SHARE = 0.7
# Probability of the attitude of a photo's label below which the teachers contradict it. Teachers were trained with
# this label; a probability this low means that the picture shows something else, and the label is ignored.
CONTRADICTION = 0.2
# Seed of the random parts of the recipe of 2019.
SEED_SPLIT = 0


@dataclass(frozen=True)
class Part:
    """Faces of one data set for a training.

    name: FER2013 or SECOND_SET.
    targets: (n, 8), distributions over EMOTIONS; rows add up to 1.
    """

    name: str
    faces: Faces
    targets: np.ndarray


def with_emotion(faces: Faces) -> Faces:
    """Returns the faces in which enough voters saw an emotion, with votes that add up to 1."""
    seen = faces.votes.sum(1)
    kept = faces.at(np.flatnonzero(seen >= MIN_EMOTION_SHARE))
    return replace(kept, votes=kept.votes / kept.votes.sum(1, keepdims=True))


def smoothed(votes: np.ndarray) -> np.ndarray:
    """Mixes votes (n, 8) with the uniform distribution."""
    return (1 - SMOOTHING) * votes + SMOOTHING / len(EMOTIONS)


def expected_labels(faces: Faces) -> np.ndarray:
    """Predicts the probabilities (n, 3) of the labels from the votes, with cross-validation.

    Labels of FER2013 are negative for faces that voters call neutral far more often than vice versa, and a classifier
    has to learn that to agree with the labels.
    """
    features = np.hstack([faces.votes, np.sqrt(faces.votes), 1 - faces.votes.sum(1, keepdims=True)])
    model = LogisticRegression(max_iter=1000)
    return cross_val_predict(model, features, faces.attitude, cv=FOLDS, method="predict_proba").astype(np.float32)


def divided(attitudes: np.ndarray, votes: np.ndarray) -> np.ndarray:
    """Divides attitudes (n, 3) among their emotions as the votes (n, 8) are divided.

    The sums of the emotions of each attitude are the attitudes again.
    """
    weights = votes + PRIOR_VOTES * (votes.mean(0) + 1 / len(EMOTIONS))
    within = weights / (bucketed(weights) @ BUCKETS.T)
    return attitudes[:, ATTITUDE_OF_EMOTION] * within


def sets(data: Path) -> tuple[Faces, Faces]:
    """Loads FER2013 and the second set."""
    return fer2013.load(data), second_set.load(data)


def seed_parts(fer: Faces, second: Faces) -> tuple[tuple[Faces, Faces], tuple[Faces, Faces]]:
    """Returns FER2013 and the second set in the training part, and in the test part, of the recipe of 2019."""
    training, testing = seed_split(np.concatenate([fer.split, second.split]), np.random.default_rng(SEED_SPLIT))

    def at(indices: np.ndarray) -> tuple[Faces, Faces]:
        return fer.at(indices[indices < len(fer)]), second.at(indices[indices >= len(fer)] - len(fer))

    return at(np.sort(training)), at(np.sort(testing))


def training_parts(fer: Faces, second: Faces, kind: str) -> list[Part]:
    """Returns the faces of a training with targets of a kind, VOTES or LABELS."""
    if kind == VOTES:
        fer, second = with_emotion(fer.of(TRAIN)), second.of(TRAIN)
        return [Part(FER2013, fer, fer.votes), Part(SECOND_SET, second, smoothed(second.votes))]
    (fer, second), _ = seed_parts(fer, second)
    labels = np.eye(len(ATTITUDES), dtype=np.float32)[fer.attitude]
    attitudes = LABEL_SHARE * labels + (1 - LABEL_SHARE) * expected_labels(fer)
    return [Part(FER2013, fer, divided(attitudes, fer.votes)), Part(SECOND_SET, second, smoothed(second.votes))]


def contradicted(part: Part, predicted: np.ndarray) -> np.ndarray:
    """Returns whether predictions (n, 8) contradict the labels of a part (n,)."""
    return bucketed(predicted)[np.arange(len(part.faces)), part.faces.attitude] < CONTRADICTION


def taught(part: Part, predicted: np.ndarray) -> Part:
    """Mixes the teachers' predictions (n, 8) into the targets.

    A label of the second set that the teachers contradict is ignored. FER2013 has ten voters per face, and they are
    not.
    """
    share = np.full((len(part.faces), 1), TEACHER_SHARE, np.float32)
    if part.name == SECOND_SET:
        share[contradicted(part, predicted)] = 1
    return replace(part, targets=(1 - share) * part.targets + share * predicted)
