# SPDX-License-Identifier: MPL-2.0
"""Writes what teachers predict for the faces of a training.

    python3 -m attitude_training.attitude.teach DATA PREDICTIONS.npz TEACHER... [--targets votes] [--sheet FOLDER]

A teacher is a checkpoint, or an exported default network. The prediction for a face is the mean of all teachers for its
crop and the mirror image of it (Furlanello et al.,
"Born-Again Neural Networks", 2018, with several teachers). PREDICTIONS.npz has, per data set, the probabilities of the
emotions (n, 8), float32, and the names of the faces (n,). Prints how many labels of the second set the teachers
contradict; the training ignores these labels.

    --targets  the kind of training, as in the step attitude.train; teachers must have been trained with the same kind
    --sheet    also writes sheets of the contradicted labels; they show people: do not commit them
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from ..common.command_line import parser
from ..data.labels import bucketed
from .contact_sheet import write_sheets
from .crop import crops
from .network import emotions, load
from .targets import LABELS, SECOND_SET, VOTES, Part, contradicted, sets, training_parts


def predict(teachers: Sequence[nn.Module], pixels: np.ndarray) -> np.ndarray:
    """Returns the mean probabilities of the emotions (n, 8) of crops (n, 1, 48, 48) and their mirror images."""
    views = (pixels, np.ascontiguousarray(pixels[..., ::-1]))
    return np.mean([emotions(teacher, view) for teacher in teachers for view in views], 0)


def read_predictions(path: Path, parts: Sequence[Part]) -> list[np.ndarray]:
    """Reads the predictions (n, 8) for the faces of each part."""
    predictions = []
    with np.load(path) as saved:
        for part in parts:
            if saved[f"{part.name}_names"].tolist() != part.faces.names:
                raise ValueError(f"{path}: predictions of other faces of {part.name}; write them again with this data")
            predictions.append(saved[part.name])
    return predictions


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("predictions", type=Path)
    add("teachers", type=Path, nargs="+")
    add("--targets", choices=(VOTES, LABELS), default=VOTES, help="kind of training (default: %(default)s)")
    add("--sheet", type=Path)
    options = options_parser.parse_args(arguments)

    teachers = [load(path) for path in options.teachers]
    saved = {}
    for part in training_parts(*sets(options.data), options.targets):
        pixels = crops(part.faces.images, part.faces.landmarks)
        predicted = predict(teachers, pixels)
        saved |= {part.name: predicted, f"{part.name}_names": np.array(part.faces.names)}
        if part.name == SECOND_SET:
            wrong = np.flatnonzero(contradicted(part, predicted))
            print(f"{len(wrong)} of {len(part.faces)} labels of the second set are contradicted", flush=True)
            if options.sheet:
                labels = part.faces.attitude[wrong]
                write_sheets(pixels[wrong], bucketed(predicted[wrong]), labels, options.sheet, part.name)
    np.savez(options.predictions, **saved)


if __name__ == "__main__":
    main()
