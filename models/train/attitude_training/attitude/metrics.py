# SPDX-License-Identifier: MPL-2.0
"""Computes the metrics of a classifier, and formats them as Markdown.

`truth` (n,) are indices of ATTITUDES, `scores` (n, 3) their probabilities, and `weights` (n,) those of the faces.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from ..common.markdown import table
from ..common.statistics import Gap, Share
from ..data.labels import ATTITUDES, NEGATIVE, NEUTRAL, POSITIVE

CALIBRATION_BINS = 15
# Share of FER2013 in the data of the recipe in seed.py; the rest is the second set.
FER2013_SHARE = 0.72
# Minimum number of faces of a group, so that a gap to it says something.
MIN_GROUP = 4


def mix_weights(sets: np.ndarray) -> np.ndarray:
    """Returns a weight per face, which add up to FER2013_SHARE for FER2013 (0 in `sets`), and to 1 in total."""
    shares = np.where(sets == 0, FER2013_SHARE, 1 - FER2013_SHARE)
    counts = np.where(sets == 0, (sets == 0).sum(), (sets == 1).sum())
    return shares / counts


def equal_weights(count: int) -> np.ndarray:
    """Returns weights of 1."""
    return np.ones(count)


def calibration_error(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> float:
    """Returns the expected calibration error, 0 to 1 (Guo et al., 2017).

    It is the mean difference between the highest score and the accuracy over equal bins of the highest score.
    """
    confidence, correct = scores.max(1), scores.argmax(1) == truth
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs((weights * (correct - confidence))[bins == b].sum()) for b in range(CALIBRATION_BINS)]
    return float(sum(gaps) / weights.sum())


def summary(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Returns accuracy, MCC, Cohen's kappa and the calibration error (ECE)."""
    predicted = scores.argmax(1)
    return {
        "accuracy": float(accuracy_score(truth, predicted, sample_weight=weights)),
        "mcc": float(matthews_corrcoef(truth, predicted, sample_weight=weights)),
        "kappa": float(cohen_kappa_score(truth, predicted, sample_weight=weights)),
        "ece": calibration_error(truth, scores, weights),
    }


def recalls(truth: np.ndarray, scores: np.ndarray) -> list[Share]:
    """Returns the share of the faces of each attitude that are classified as it."""
    predicted = scores.argmax(1)
    return [Share.of(predicted[truth == attitude] == attitude) for attitude in range(len(ATTITUDES))]


def classes(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> str:
    """Formats precision, recall and F1 per attitude, and the confusion matrix in per cent per row."""
    predicted, order = scores.argmax(1), range(len(ATTITUDES))
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, labels=order, sample_weight=weights, zero_division=0
    )
    matrix = 100 * confusion_matrix(truth, predicted, labels=order, sample_weight=weights, normalize="true")
    rows = [
        (name, float(precision[i]), float(recall[i]), float(f1[i]), *(f"{share:.1f}%" for share in matrix[i]))
        for i, name in enumerate(ATTITUDES)
    ]
    first = f"classified as {ATTITUDES[0]}"
    return table(("people say", "precision", "recall", "F1", first, *ATTITUDES[1:]), rows)


def risk_coverage(truth: np.ndarray, scores: np.ndarray, weights: np.ndarray, thresholds: Sequence[float]) -> str:
    """Formats the coverage and the accuracy per minimum confidence."""
    confidence, correct = scores.max(1), scores.argmax(1) == truth
    rows = []
    for threshold in thresholds:
        kept = confidence >= threshold
        covered = weights[kept].sum() / weights.sum()
        accuracy = f"{100 * (weights * correct)[kept].sum() / weights[kept].sum():.1f}%" if kept.any() else "-"
        rows.append((f"{threshold:.2f}", f"{100 * covered:.1f}%", accuracy))
    return table(("minimum confidence", "classified", "accuracy among them"), rows)


def group_shares(chosen: np.ndarray, correct: np.ndarray, groups: np.ndarray) -> dict[str, Share]:
    """Returns the share of correct (n,) among the chosen (n,) faces of each group (n,)."""
    return {name: Share.of(correct[chosen & (groups == name)]) for name in sorted(set(groups.tolist()))}


def widest_gap(shares: Mapping[str, Share]) -> tuple[str, str, Gap] | None:
    """Returns the groups with the highest and the lowest share, the same one if all are equal, and their gap.

    Groups of less than MIN_GROUP faces are ignored; without two groups there is no gap. The groups are chosen
    by their shares, so chance alone makes a gap.
    """
    known = {name: share for name, share in shares.items() if share.total >= MIN_GROUP}
    if len(known) < 2:
        return None
    best, worst = (choose(known, key=lambda name: known[name].value) for choose in (max, min))
    return best, worst, Gap.between(known[best], known[worst])


def by_group(truth: np.ndarray, scores: np.ndarray, groupings: Mapping[str, np.ndarray]) -> str:
    """Formats for whom neutral and smiling faces are classified correctly: a table of groups and a table of gaps."""
    predicted = scores.argmax(1)
    measures = (
        ("neutral correct", truth == NEUTRAL, predicted == NEUTRAL),
        ("neutral called negative", truth == NEUTRAL, predicted == NEGATIVE),
        ("smile correct", truth == POSITIVE, predicted == POSITIVE),
    )
    everyone = np.full(len(truth), "everyone")
    rows, gaps = [], []
    for grouping, groups in {"": everyone, **groupings}.items():
        shares = [group_shares(chosen, correct, groups) for _, chosen, correct in measures]
        rows += [(grouping, name, (groups == name).sum(), *(part[name] for part in shares)) for name in shares[0]]
        for (measure, *_), part in zip(measures, shares):
            if gap := widest_gap(part):
                best, worst, difference = gap
                gaps.append((grouping, measure, *(("-", "-") if best == worst else (best, worst)), difference))
    headings = ("grouping", "group", "faces", *(measure for measure, *_ in measures))
    return "\n\n".join([table(headings, rows), table(("grouping", "share", "highest in", "lowest in", "gap"), gaps)])
