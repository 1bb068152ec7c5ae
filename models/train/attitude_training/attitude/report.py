# SPDX-License-Identifier: MPL-2.0
"""Prints the metrics of a classifier for its model card as Markdown.

    python3 -m attitude_training.attitude.report DATA YUNET.onnx MODEL.onnx [--split validation]
        [--compare OTHER.onnx] [--sheet FOLDER]

The truth about a face of FER2013 is what most of its voters say; a face is clear if at least 8 of 10 voters agree. The
truth about a photo is its label. Intervals are of 95%. YUNET.onnx finds the landmarks of the London set. Evaluate
changes on the validation split; use the test split only for the card. The London set is in both.

    --compare  also measures the time per face, in turns with another model
    --sheet    also writes contact sheets of the errors; they show people: do not commit them
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from ..common.command_line import parser
from ..common.inference import session
from ..common.markdown import table
from ..common.statistics import Share
from ..data import fer2013, london, second_set
from ..data.faces import TEST, VALIDATION, Faces
from ..data.labels import ATTITUDES, NEUTRAL, POSITIVE
from ..data.landmarks import TURNED_AWAY, turned_away
from ..detector.detections import Yunet
from . import metrics
from .conditions import CONDITIONS, changed
from .contact_sheet import write_sheets
from .crop import crops
from .evaluation import Evaluated, face_costs_ms, scores

# Share of voters whose agreement makes a face clear.
AGREEMENT = 0.8
THRESHOLDS = (0.0, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9)
# Limits of the ranges of `turned_away` in the table of poses.
TURNS = (0, TURNED_AWAY / 3, 2 * TURNED_AWAY / 3, TURNED_AWAY, np.inf)
TURN_NAMES = ("frontal", "slightly turned", "turned", "one cheek visible")
METRICS = ("mcc", "kappa", "ece")


def accuracies(fer: Evaluated, photos: Evaluated) -> str:
    """Formats the metrics of all ways to count."""
    clear, (_, is_unique) = fer.faces.agree(AGREEMENT), fer.faces.majority()
    both = np.concatenate([fer.scores, photos.scores])
    labels = np.concatenate([fer.faces.attitude, photos.truth])
    weights = metrics.mix_weights(np.repeat([0, 1], [len(fer.truth), len(photos.truth)]))
    rows = [
        _row("FER2013, at least 8 of 10 voters agree", fer.truth[clear], fer.scores[clear]),
        _row("FER2013, majority of the voters", fer.truth[is_unique], fer.scores[is_unique]),
        _row("photos of the second set", photos.truth, photos.scores),
        _row("FER2013, original labels", fer.faces.attitude, fer.scores),
        _row("original labels of both, 72% FER2013", labels, both, weights),
    ]
    return table(("faces", "number", "accuracy", "MCC", "kappa", "ECE"), rows)


def _row(name: str, truth: np.ndarray, found: np.ndarray, weights: np.ndarray | None = None) -> tuple:
    if len(truth) == 0:
        return name, 0, *"-" * (1 + len(METRICS))
    row = metrics.summary(truth, found, metrics.equal_weights(len(truth)) if weights is None else weights)
    accuracy = Share.of(found.argmax(1) == truth) if weights is None else f"{row['accuracy']:.3f}"
    return name, len(truth), accuracy, *(row[key] for key in METRICS)


def recall_table(fer: Evaluated, photos: Evaluated) -> str:
    """Formats the recall of each attitude."""
    clear, (_, is_unique) = fer.faces.agree(AGREEMENT), fer.faces.majority()
    rows = [
        ("FER2013, at least 8 of 10 voters agree", *metrics.recalls(fer.truth[clear], fer.scores[clear])),
        ("FER2013, majority of the voters", *metrics.recalls(fer.truth[is_unique], fer.scores[is_unique])),
        ("photos of the second set", *metrics.recalls(photos.truth, photos.scores)),
    ]
    return table(("recall", *ATTITUDES), rows)


def emotion_accuracy(fer: Evaluated) -> Share:
    """Returns the share of clear faces whose highest emotion is the one that most voters chose."""
    clear = fer.faces.agree(AGREEMENT)
    return Share.of((fer.emotions.argmax(1) == fer.faces.votes.argmax(1))[clear])


def poses(photos: Evaluated) -> str:
    """Formats the accuracy by how far heads are turned."""
    turns = np.array([turned_away(landmarks) for landmarks in photos.faces.landmarks])
    bins = np.searchsorted(TURNS, turns, "right") - 1
    rows = [(name, Share.of(photos.correct()[bins == index])) for index, name in enumerate(TURN_NAMES)]
    return table(("head in the photos", "accuracy"), rows)


def conditions(model: onnxruntime.InferenceSession, columns: dict[str, tuple[Faces, np.ndarray]]) -> str:
    """Formats the accuracy on faces under each condition; a column has faces and the truth about them."""

    def accuracy(faces: Faces, truth: np.ndarray) -> float:
        return float((scores(model, crops(faces.images, faces.landmarks)).argmax(1) == truth).mean())

    rows = []
    for name, change in CONDITIONS.items():
        rows.append((name, *(accuracy(changed(faces, change), truth) for faces, truth in columns.values())))
    return table(("condition", *columns), rows)


def show(title: str, text: object) -> None:
    """Prints a section."""
    print(f"\n{title}\n\n{text}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("yunet", type=Path)
    add("model", type=Path)
    add("--split", choices=(VALIDATION, TEST), default=VALIDATION, help="faces to use (default: %(default)s)")
    add("--compare", type=Path)
    add("--sheet", type=Path)
    options = options_parser.parse_args(arguments)

    model = session(options.model)
    faces = fer2013.load(options.data).of(options.split)
    majority, is_unique = faces.majority()
    fer = Evaluated.by(model, faces, majority)
    faces = second_set.load(options.data).of(options.split)
    photos = Evaluated.by(model, faces, faces.attitude)
    people = london.load(options.data, Yunet(options.yunet))
    portraits = Evaluated.by(model, people.gray(), people.faces.attitude)

    print(f"{options.model.name}, {options.split} split")
    show("Accuracy", accuracies(fer, photos))
    show("Recall", recall_table(fer, photos))
    show("Emotions of clear faces", emotion_accuracy(fer))
    clear, equal = fer.faces.agree(AGREEMENT), metrics.equal_weights
    for title, chosen in (("Clear faces", clear), ("Faces with a majority", is_unique)):
        show(title, metrics.classes(fer.truth[chosen], fer.scores[chosen], equal(chosen.sum())))
    show("Photos", metrics.classes(photos.truth, photos.scores, equal(len(photos.truth))))
    truth, found = fer.truth[is_unique], fer.scores[is_unique]
    show(
        "Minimum confidence, faces with a majority", metrics.risk_coverage(truth, found, equal(len(truth)), THRESHOLDS)
    )
    show("London set by group", metrics.by_group(portraits.truth, portraits.scores, people.groups))
    show("Pose", poses(photos))

    def subset(part: Evaluated, chosen: np.ndarray) -> tuple[Faces, np.ndarray]:
        return part.faces.at(np.flatnonzero(chosen)), part.truth[chosen]

    columns = {
        "FER2013, clear": subset(fer, clear),
        "photos": (photos.faces, photos.truth),
        "London, neutral": subset(portraits, portraits.truth == NEUTRAL),
        "London, smile": subset(portraits, portraits.truth == POSITIVE),
    }
    show("Conditions", conditions(model, columns))
    if options.compare:
        ours, others = face_costs_ms([model, session(options.compare)])
        show("Time per face on one thread", f"{ours:.3f} ms; {options.compare.name}: {others:.3f} ms")
    if options.sheet:
        sheets = (("fer2013-clear", fer, clear), ("fer2013-unclear", fer, is_unique & ~clear))
        for name, part, chosen in (*sheets, ("photos", photos, True), ("london", portraits, True)):
            wrong = np.flatnonzero(~part.correct() & chosen)
            write_sheets(part.crops[wrong], part.scores[wrong], part.truth[wrong], options.sheet, name)


if __name__ == "__main__":
    main()
