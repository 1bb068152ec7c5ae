# SPDX-License-Identifier: MPL-2.0
"""Prints the metrics of face detectors for their model card as Markdown, beside those of YuNet.

    python3 -m attitude_training.detector.report DATA YUNET.onnx MODEL.onnx... [--split test] [--clips DIR]
        [--failures DIR] [--count N]

1. Time per picture, in turns.
2. Faces found by their height in a frame, photos and the London set.
3. Photos in which the face is found, and the London set by group; the truth is the face that YuNet finds.
4. Pictures with known faces: calls, with portraits side by side on a photo, and composites as in the training, which
   are far harder. The reference is YuNet at twice the size of the input, with a minimum score of REFERENCE_SCORE.
   "Extra" are detections that are not in the reference; "false" are those that are neither in the picture before it
   was degraded nor pasted portraits. Landmark errors are mean distances, in per cent of the distance of the eyes.

    --clips     also compares on the videos in a folder
    --failures  writes sheets of pictures in which the last model has missed (red) or false (yellow) faces; they show
                people: do not commit them
    --count     number of pictures of each kind (default: 250)
"""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from ..common.command_line import parser
from ..common.inference import median_times_ms
from ..common.markdown import table
from ..common.pictures import blurred, sheet
from ..data import london
from ..data.faces import TEST, VALIDATION
from .comparison import Comparison
from .composites import face_row, labeled, scene
from .detections import SCORE, UNCERTAIN, CenterMaps, Detector, Yunet
from .drawing import covering
from .heights import HEIGHTS_PX, PHOTOS, Portrait, by_group, by_height, fitted, portraits, whole_photos
from .material import Material

# Width and height of the inputs of calls and composites, in px.
SIZES = ((320, 192), (640, 384))
# Size of the reference's input relative to the detectors', and its minimum score.
REFERENCE_SCALE, REFERENCE_SCORE = 2, 0.6
# Frames per video.
CLIP_FRAMES = 60
TIMED_SIZE = (320, 192)
# Pictures per row and per sheet of failures.
SHEET_COLUMNS, SHEET_PICTURES = 5, 50
# People in a call, and range of the side of a portrait in widths of its column.
MAX_PEOPLE, PORTRAIT_SIDES = 4, (0.2, 1)
# Degradations: range of gains in the dark, of the standard deviation of noise, of the blur in px of the input, and of
# the gains of a tint's channels.
DARK_GAINS, NOISE_LEVELS, BLUR_SCALES, TINT_GAINS = (0.12, 0.5), (10, 35), (0.4, 1), (0.35, 1.15)

Degradation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def as_uint8(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels, 0, 255).astype(np.uint8)


CONDITIONS: dict[str, Degradation] = {
    "clean": lambda picture, rng: picture,
    "dark": lambda picture, rng: as_uint8(picture * rng.uniform(*DARK_GAINS)),
    "noise": lambda picture, rng: as_uint8(picture + rng.uniform(*NOISE_LEVELS) * rng.standard_normal(picture.shape)),
    "blur": lambda picture, rng: blurred(picture, REFERENCE_SCALE * rng.uniform(*BLUR_SCALES), rng),
    "tint": lambda picture, rng: as_uint8(picture * rng.uniform(*TINT_GAINS, 3)),
}


def show(title: str, text: object) -> None:
    """Prints a section."""
    print(f"\n{title}\n\n{text}", flush=True)


def write_failures(comparison: Comparison, path: Path) -> None:
    """Writes a sheet of the pictures with missed or false faces."""
    if comparison.failures:
        cv2.imwrite(str(path), sheet(comparison.failures[:SHEET_PICTURES], SHEET_COLUMNS))


def halved(picture: np.ndarray) -> np.ndarray:
    """Scales the reference's input to the detectors'."""
    size = tuple(side // REFERENCE_SCALE for side in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def reference_faces(teacher: Detector, picture: np.ndarray) -> np.ndarray:
    """Returns the teacher's faces (n, 15), in px of the detectors' input."""
    rows = teacher(picture, REFERENCE_SCORE)
    rows[:, 1:] /= REFERENCE_SCALE
    return rows


def call(
    material: Material, size: tuple[int, int], scale: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Creates one to four portraits side by side on a photo. Returns it with the rows (n, 15) of their heads.

    The score of a row is UNCERTAIN: whether the head must be found is for the teacher to say.
    """
    width, height = (scale * side for side in size)
    photos = np.setdiff1d(np.arange(len(material.backgrounds)), material.crowded)
    picture = covering(material.backgrounds[rng.choice(photos)], (width, height), rng)
    people = int(rng.integers(1, MAX_PEOPLE + 1))
    heads = []
    for column in range(people):
        index = rng.integers(len(material.portraits))
        portrait, landmarks = material.portraits.images[index], material.portraits.landmarks[index]
        side = int(rng.uniform(*PORTRAIT_SIDES) * min(width // people, height))
        x = width * column // people + rng.integers(0, width // people - side + 1)
        y = rng.integers(0, height - side + 1)
        picture[y : y + side, x : x + side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        matrix = np.array(((side / portrait.shape[1], 0, x), (0, side / portrait.shape[0], y)))
        heads.append(face_row(UNCERTAIN, material.portraits.boxes[index], landmarks, matrix, False))
    return picture, np.stack(heads)


KINDS = {"calls": call, "composites": scene}


def on_drawn(
    kind: str,
    size: tuple[int, int],
    count: int,
    material: Material,
    teacher: Detector,
    detectors: dict[str, Detector],
    failures: Path | None,
) -> None:
    """Compares on pictures of a kind, in each condition."""
    for number, (condition, degrade) in enumerate(CONDITIONS.items()):
        comparison = Comparison(detectors)
        for index in range(count):
            # The scenes are the same in each condition.
            picture, heads = KINDS[kind](material, size, REFERENCE_SCALE, np.random.default_rng((index, *size)))
            truth = labeled(picture, heads, REFERENCE_SCALE, teacher)
            # A head that was pasted is not a false face, even if the teacher misses it.
            truth = truth[(truth[:, SCORE] >= REFERENCE_SCORE) | (truth[:, SCORE] == UNCERTAIN)]
            picture = degrade(picture, np.random.default_rng((index, number)))
            comparison.add(halved(picture), reference_faces(teacher, picture), truth)
        show(f"{count} {kind}, {size[0]}x{size[1]}, {condition}", comparison)
        if failures:
            write_failures(comparison, failures / f"{kind}-{size[0]}-{condition}.png")


def frames_of(path: Path) -> list[np.ndarray]:
    """Reads about CLIP_FRAMES frames of a video at equal intervals."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames[:: max(1, len(frames) // CLIP_FRAMES)]


def on_clips(
    folder: Path, long_side: int, teacher: Detector, detectors: dict[str, Detector], failures: Path | None
) -> None:
    """Compares on each video in a folder."""
    for path in sorted(folder.iterdir()):
        comparison = Comparison(detectors)
        frames = frames_of(path)
        for frame in frames:
            reference = reference_faces(teacher, fitted(frame, REFERENCE_SCALE * long_side))
            comparison.add(fitted(frame, long_side), reference, reference)
        show(f"{path.name}, {len(frames)} frames, {long_side} px", comparison)
        if failures:
            write_failures(comparison, failures / f"{long_side}-{path.stem}.png")


def sample(faces: list[Portrait], count: int) -> list[Portrait]:
    """Returns up to `count` random portraits, always the same ones."""
    chosen = np.random.default_rng(0).permutation(len(faces))[:count]
    return [faces[index] for index in chosen]


def times(detectors: dict[str, Yunet | CenterMaps]) -> str:
    """Formats the times of the detectors' networks, and relative to the first."""
    width, height = TIMED_SIZE
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.float32)

    def run_of(detector: Yunet | CenterMaps) -> Callable[[], object]:
        tensor = detector.session.get_inputs()[0]
        pixels = np.ascontiguousarray(picture.transpose(2, 0, 1)[None, : tensor.shape[1]])
        return lambda: detector.session.run(detector.names, {tensor.name: pixels})

    medians = median_times_ms([run_of(detector) for detector in detectors.values()])
    rows = [(name, f"{ms:.2f}", ms / medians[0]) for name, ms in zip(detectors, medians)]
    return table(("detector", "ms", f"relative to {next(iter(detectors))}"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("yunet", type=Path)
    add("models", type=Path, nargs="+")
    add("--split", choices=(VALIDATION, TEST), default=TEST, help="pictures to use (default: %(default)s)")
    add("--clips", type=Path)
    add("--failures", type=Path)
    add("--count", type=int, default=250)
    add("--photos", type=int, default=PHOTOS, help="photos per height (default: %(default)s)")
    options = options_parser.parse_args(arguments)

    cv2.setNumThreads(1)
    teacher = Yunet(options.yunet)
    detectors = {"YuNet": teacher, **{path.stem: CenterMaps(path) for path in options.models}}
    if options.failures:
        options.failures.mkdir(parents=True, exist_ok=True)
    width, height = TIMED_SIZE
    show(f"Time at {width}x{height} on one thread", times(detectors))

    material = Material.load(options.data, options.split, teacher)
    people = london.load(options.data, teacher)
    empty = [image for i, image in enumerate(material.backgrounds) if i not in material.crowded]
    photos = portraits(material.portraits)
    sets = {"photos": sample(photos, options.photos), "London": sample(portraits(people.faces), options.photos)}
    for name, detector in detectors.items():
        show(f"{name}: faces found by height", by_height(detector, sets, empty, HEIGHTS_PX))
    show(f"{len(photos)} photos, {options.split} split", whole_photos(detectors, photos))
    for name, detector in detectors.items():
        show(f"{name}: London set by group", by_group(detector, people, empty))

    if options.clips:
        for width, _ in SIZES:
            on_clips(options.clips, width, teacher, detectors, options.failures)
    for kind, size in itertools.product(KINDS, SIZES):
        on_drawn(kind, size, options.count, material, teacher, detectors, options.failures)


if __name__ == "__main__":
    main()
