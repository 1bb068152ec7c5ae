# SPDX-License-Identifier: MPL-2.0
"""Computes and formats the metrics of a classifier."""

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
# Share of FER2013 in the data of the recipe in seed.py; the rest is the second set.
FER2013_SHARE = 0.72


def mix_weights(sets):
    """Returns a weight per face, which add up to FER2013_SHARE for FER2013 (0 in `sets`), and to 1 in total."""
    shares = np.where(sets == 0, FER2013_SHARE, 1 - FER2013_SHARE)
    counts = np.where(sets == 0, (sets == 0).sum(), (sets == 1).sum())
    return shares / counts


def calibration_error(labels, scores, weights):
    """Returns the expected calibration error of scores (n, 3) (Guo et al., 2017).

    It is the mean difference between the highest score and the accuracy over equal bins of the highest score.
    """
    confidence, correct = scores.max(1), scores.argmax(1) == labels
    bins = np.minimum((confidence * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [abs((weights * (correct - confidence))[bins == b].sum()) for b in range(CALIBRATION_BINS)]
    return sum(gaps) / weights.sum()


def summary(labels, scores, weights):
    """Returns accuracy, MCC, Cohen's kappa and ECE."""
    predicted = scores.argmax(1)
    return {
        "accuracy": accuracy_score(labels, predicted, sample_weight=weights),
        "mcc": matthews_corrcoef(labels, predicted, sample_weight=weights),
        "kappa": cohen_kappa_score(labels, predicted, sample_weight=weights),
        "ece": calibration_error(labels, scores, weights),
    }


def classes(labels, scores, weights):
    """Formats precision, recall and F1 per attitude and the confusion matrix in per cent per row as Markdown."""
    predicted = scores.argmax(1)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=range(3), sample_weight=weights, zero_division=0
    )
    matrix = 100 * confusion_matrix(labels, predicted, labels=range(3), sample_weight=weights, normalize="true")
    lines = ["| label | precision | recall | F1 | predicted positive | neutral | negative |", "|---|" + "---|" * 6]
    for index, name in enumerate(ATTITUDES):
        shares = " | ".join(f"{share:.1f}%" for share in matrix[index])
        lines.append(f"| {name} | {precision[index]:.3f} | {recall[index]:.3f} | {f1[index]:.3f} | {shares} |")
    return "\n".join(lines)


def risk_coverage(labels, scores, weights, thresholds):
    """Formats the coverage and the accuracy per minimum confidence as Markdown."""
    confidence, correct = scores.max(1), scores.argmax(1) == labels
    lines = ["| minimum confidence | classified | accuracy |", "|---|---|---|"]
    for threshold in thresholds:
        kept = confidence >= threshold
        covered = weights[kept].sum() / weights.sum()
        accuracy = (weights * correct)[kept].sum() / max(weights[kept].sum(), 1e-12)
        lines.append(f"| {threshold:.2f} | {100 * covered:.1f}% | {100 * accuracy:.1f}% |")
    return "\n".join(lines)
