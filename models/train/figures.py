# SPDX-License-Identifier: MPL-2.0
"""Figures of merit of a classifier, and how they are written down."""

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    matthews_corrcoef,
    precision_recall_fscore_support,
)

from faces import ATTITUDES

CALIBRATION_BINS = 15
# The mix that the seed trained and judged by: FER2013's share, the rest is the second set.
FER2013_SHARE = 0.72


def mix_weights(sets):
    """A weight for each face, so that FER2013 (0 in `sets`) counts FER2013_SHARE and the second set (1) the rest."""
    shares = np.where(sets == 0, FER2013_SHARE, 1 - FER2013_SHARE)
    counts = np.where(sets == 0, (sets == 0).sum(), (sets == 1).sum())
    return shares / counts


def calibration_error(labels, scores, weights):
    """Expected calibration error of scores (n, 3): the mean distance, over equal bins of the winning score, of that score
    from the share of correct answers (Guo et al., 2017)."""
    confidence, correct = scores.max(1), scores.argmax(1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs((weights * (correct - confidence))[bins == b].sum()) for b in range(CALIBRATION_BINS)]
    return sum(gaps) / weights.sum()


def summary(labels, scores, weights):
    """Accuracy, MCC, Cohen's kappa and ECE."""
    predicted = scores.argmax(1)
    # kappa_score's weights are of classes' distances; its sample_weight is what is meant here.
    return {
        "accuracy": accuracy_score(labels, predicted, sample_weight=weights),
        "mcc": matthews_corrcoef(labels, predicted, sample_weight=weights),
        "kappa": cohen_kappa_score(labels, predicted, sample_weight=weights),
        "ece": calibration_error(labels, scores, weights),
    }


def classes(labels, scores, weights):
    """Markdown: precision, recall and F1 of each attitude, and the confusion matrix in per cent of each row."""
    predicted = scores.argmax(1)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=range(3), sample_weight=weights, zero_division=0
    )
    matrix = 100 * confusion_matrix(labels, predicted, labels=range(3), sample_weight=weights, normalize="true")
    lines = ["| labelled | precision | recall | F1 | said positive | neutral | negative |", "|---|" + "---|" * 6]
    for index, name in enumerate(ATTITUDES):
        shares = " | ".join(f"{share:.1f}%" for share in matrix[index])
        lines.append(f"| {name} | {precision[index]:.3f} | {recall[index]:.3f} | {f1[index]:.3f} | {shares} |")
    return "\n".join(lines)


def risk_coverage(labels, scores, weights, thresholds):
    """Markdown: for each least confidence the share of faces that get an answer, and how many answers are right."""
    confidence, correct = scores.max(1), scores.argmax(1) == labels
    lines = ["| least confidence | answered | right among them |", "|---|---|---|"]
    for threshold in thresholds:
        kept = confidence >= threshold
        covered = weights[kept].sum() / weights.sum()
        right = (weights * correct)[kept].sum() / max(weights[kept].sum(), 1e-12)
        lines.append(f"| {threshold:.2f} | {100 * covered:.1f}% | {100 * right:.1f}% |")
    return "\n".join(lines)
