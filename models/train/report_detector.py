# SPDX-License-Identifier: MPL-2.0
"""Compares face detectors with YuNet on pictures that were not used for training.

    python3 models/train/report_detector.py DATA YUNET.onnx MODEL.onnx... [--clips DIR] [--failures DIR] [--count N]

There are two kinds of pictures: calls, with portraits side by side on a photo, and composites as in the training, which
are far harder. The reference is YuNet at twice the size of the input, with a minimum score of REFERENCE_SCORE. `extra`
is the number per picture of detections that are not in the reference; `false` is the number of those that are neither
in the picture before it was degraded nor pasted portraits. Recall is given by the height of the face in the input;
`recall` is that of faces of at least MIN_HEIGHT px. `points` is the mean distance of landmarks, in per cent of the
distance of the eyes.

    --clips     also compares on the videos in a folder
    --failures  writes sheets of pictures in which the last model has missed (red) or false (yellow) faces
    --count     number of pictures of each kind (default: 250)
"""

import argparse
import itertools
import math
import time
from pathlib import Path

import cv2
import numpy as np

import faces
from augmentation import blurred
from composites import TEACHER_SCALE, Material, covering, labelled, scene
from detections import BOX, FIELDS, LANDMARKS, SCORE, CenterMaps, Yunet, ious

SIZES = ((320, 192), (640, 384))
REFERENCE_SCORE = 0.6
MIN_HEIGHT = 24
BINS = (16, 24, 32, 48, 96, math.inf)
THRESHOLDS = (0.5, 0.6)
MIN_OVERLAP = 0.5
CLIP_FRAMES = 60
TIMED_SIZE, TIMED_RUNS = (320, 192), 300


def as_uint8(pixels):
    return np.clip(pixels, 0, 255).astype(np.uint8)


CONDITIONS = {
    "clean": lambda picture, rng: picture,
    "dark": lambda picture, rng: as_uint8(picture * rng.uniform(0.12, 0.5)),
    "noise": lambda picture, rng: as_uint8(picture + rng.uniform(10, 35) * rng.standard_normal(picture.shape)),
    "blur": lambda picture, rng: blurred(picture, TEACHER_SCALE * rng.uniform(0.4, 1), rng),
    "tint": lambda picture, rng: as_uint8(picture * rng.uniform(0.35, 1.15, 3)),
}


class Tally:
    """Counts the results of a detector at one threshold."""

    def __init__(self):
        self.wanted, self.found = np.zeros(len(BINS) - 1), np.zeros(len(BINS) - 1)
        self.recall_wanted = self.recall_found = 0
        self.extra = self.false = self.pictures = 0
        self.errors = []

    def add(self, detected, reference, truth):
        """Adds the rows (n, 15) of a picture, in pixels of the input. Returns the missed and the false boxes."""
        missed = []
        for row in reference:
            overlaps = ious(detected[:, BOX], row[BOX])
            is_found = len(detected) > 0 and overlaps.max() > MIN_OVERLAP
            which = np.searchsorted(BINS, row[4], "right") - 1
            if which >= 0:
                self.wanted[which] += 1
                self.found[which] += is_found
            if row[4] < MIN_HEIGHT:
                continue
            self.recall_wanted += 1
            self.recall_found += is_found
            points = row[LANDMARKS].reshape(5, 2)
            eyes = np.linalg.norm(points[1] - points[0])
            if not is_found:
                missed.append(row[BOX])
            elif eyes > 0.2 * row[3]:
                # Excludes profiles, whose eyes coincide.
                others = detected[overlaps.argmax(), LANDMARKS].reshape(5, 2)
                self.errors.append(np.linalg.norm(others - points, axis=1).mean() / eyes)

        def is_among(rows, box):
            return (ious(rows[:, BOX], box) > MIN_OVERLAP).any()

        extra = [box for box in detected[:, BOX] if not is_among(reference, box)]
        false = [box for box in extra if not is_among(truth, box)]
        self.extra += len(extra)
        self.false += len(false)
        self.pictures += 1
        return missed, false

    @staticmethod
    def heading():
        bins = " ".join(f"{low:>4}-{high if high < math.inf else '':<3}" for low, high in itertools.pairwise(BINS))
        return f"{'':40} recall {bins} {'extra':>7} {'false':>7} {'points':>7}"

    def line(self, name):
        def share(found, wanted):
            return f"{found / wanted:8.3f}" if wanted else f"{'-':>8}"

        bins = " ".join(map(share, self.found, self.wanted))
        points = f"{100 * np.mean(self.errors):7.2f}" if self.errors else f"{'-':>7}"
        recall = share(self.recall_found, self.recall_wanted).strip()
        return (
            f"{name:40} {recall:>6} {bins} {self.extra / self.pictures:7.3f} {self.false / self.pictures:7.3f} {points}"
        )


class Comparison:
    """The tallies of all detectors, and the failures of the last one."""

    def __init__(self, detectors):
        self.detectors = detectors
        self.tallies = {(name, threshold): Tally() for name in detectors for threshold in THRESHOLDS}
        self.failures = []

    def add(self, picture, reference, truth):
        for name, detector in self.detectors.items():
            detected = detector(picture, min(THRESHOLDS))
            for threshold in THRESHOLDS:
                tally = self.tallies[name, threshold]
                missed, false = tally.add(detected[detected[:, SCORE] >= threshold], reference, truth)
                is_last = (name, threshold) == (list(self.detectors)[-1], min(THRESHOLDS))
                if is_last and (missed or false):
                    self.failures.append(marked(picture, missed, false))

    def show(self, title):
        print(f"\n{title}\n{Tally.heading()}")
        for (name, threshold), tally in self.tallies.items():
            print(tally.line(f"{name} at {threshold}"), flush=True)


def marked(picture, missed, false):
    picture = picture.copy()
    for boxes, color in ((missed, (0, 0, 255)), (false, (0, 255, 255))):
        for x, y, width, height in np.round(boxes).astype(int).reshape(-1, 4).tolist():
            cv2.rectangle(picture, (x, y), (x + width, y + height), color)
    return picture


def write_sheet(pictures, path, columns=5, rows=10):
    """Writes up to columns * rows pictures of one size as tiles of one picture."""
    if not pictures:
        return
    pictures = pictures[: columns * rows]
    pictures += [np.zeros_like(pictures[0])] * (-len(pictures) % columns)
    lines = [np.hstack(pictures[i : i + columns]) for i in range(0, len(pictures), columns)]
    cv2.imwrite(str(path), np.vstack(lines))


def halved(picture):
    size = tuple(side // TEACHER_SCALE for side in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def fitted(frame, long_side):
    """Scales a frame into the top left of a black picture whose sides are multiples of 32, like the plugin."""
    scale = long_side / max(frame.shape[:2])
    height, width = (round(side * scale) for side in frame.shape[:2])
    picture = np.zeros((*(math.ceil(side / 32) * 32 for side in (height, width)), 3), np.uint8)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture[:height, :width] = cv2.resize(frame, (width, height), interpolation=interpolation)
    return picture


def frames_of(path):
    """Reads about CLIP_FRAMES frames of a video at equal intervals."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames[:: max(1, len(frames) // CLIP_FRAMES)]


def reference_faces(teacher, picture):
    """Returns the teacher's faces, in pixels of an input of half the size."""
    rows = teacher(picture, REFERENCE_SCORE)
    rows[:, 1:] /= TEACHER_SCALE
    return rows


def call(material, size, rng):
    """Creates one to four portraits side by side on a photo. Returns it with the rows (0, 15) of known faces."""
    width, height = (TEACHER_SCALE * side for side in size)
    photos = np.setdiff1d(np.arange(len(material.backgrounds)), material.crowded)
    picture = covering(material.backgrounds[rng.choice(photos)], (width, height), rng)
    people = int(rng.integers(1, 5))
    for column in range(people):
        portrait = material.portraits.images[rng.integers(len(material.portraits))]
        side = int(rng.uniform(0.2, 1) * min(width // people, height))
        x = width * column // people + rng.integers(0, width // people - side + 1)
        y = rng.integers(0, height - side + 1)
        picture[y : y + side, x : x + side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    return picture, np.empty((0, FIELDS))


KINDS = {"calls": call, "composites": scene}


def on_drawn(kind, material, teacher, detectors, size, count, failures):
    draw = KINDS[kind]
    for number, (condition, degrade) in enumerate(CONDITIONS.items()):
        comparison = Comparison(detectors)
        for index in range(count):
            # The scenes are the same in each condition.
            picture, known = draw(material, size, np.random.default_rng((index, *size)))
            truth = labelled(picture, known, teacher)
            truth = truth[truth[:, SCORE] >= REFERENCE_SCORE]
            picture = degrade(picture, np.random.default_rng((index, number)))
            comparison.add(halved(picture), reference_faces(teacher, picture), truth)
        title = f"{count} {kind}, {size[0]}x{size[1]}, {condition}"
        comparison.show(title)
        if failures:
            write_sheet(comparison.failures, failures / f"{kind}-{size[0]}-{condition}.png")


def on_clips(folder, teacher, detectors, long_side, failures):
    for path in sorted(folder.iterdir()):
        comparison = Comparison(detectors)
        frames = frames_of(path)
        for frame in frames:
            reference = reference_faces(teacher, fitted(frame, TEACHER_SCALE * long_side))
            comparison.add(fitted(frame, long_side), reference, reference)
        comparison.show(f"{path.name}, {len(frames)} frames, {long_side} px")
        if failures:
            write_sheet(comparison.failures, failures / f"{long_side}-{path.stem}.png")


def show_times(detectors):
    """Measures the time of the detectors alternately, so that other load affects all of them."""
    width, height = TIMED_SIZE
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.float32)
    feeds = {}
    for name, detector in detectors.items():
        channels = detector.session.get_inputs()[0].shape[1]
        tensor = np.ascontiguousarray(picture.transpose(2, 0, 1)[None, :channels])
        feeds[name] = {detector.session.get_inputs()[0].name: tensor}
    times = {name: [] for name in detectors}
    for _ in range(TIMED_RUNS):
        for name, detector in detectors.items():
            started = time.perf_counter()
            detector.session.run(detector.names, feeds[name])
            times[name].append(time.perf_counter() - started)
    medians = {name: np.median(values) for name, values in times.items()}
    print(f"\nmedian time at {width}x{height}, one thread, and relative to {(first := next(iter(medians)))}")
    for name, median in medians.items():
        print(f"{name:40} {1000 * median:6.2f} ms {median / medians[first]:6.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("yunet", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--failures", type=Path)
    parser.add_argument("--count", type=int, default=250)
    parser.add_argument("--split", choices=(faces.VALIDATION, faces.TEST), default=faces.TEST)
    options = parser.parse_args()

    cv2.setNumThreads(1)
    teacher = Yunet(options.yunet)
    detectors = {"yunet": teacher, **{path.stem: CenterMaps(path) for path in options.models}}
    if options.failures:
        options.failures.mkdir(parents=True, exist_ok=True)
    show_times(detectors)
    if options.clips:
        for width, _ in SIZES:
            on_clips(options.clips, teacher, detectors, width, options.failures)
    material = Material.load(options.data, options.split, teacher)
    for kind, size in itertools.product(KINDS, SIZES):
        on_drawn(kind, material, teacher, detectors, size, options.count, options.failures)


if __name__ == "__main__":
    main()
