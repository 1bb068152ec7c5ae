# SPDX-License-Identifier: MPL-2.0
"""Creates pictures for the training of the face detector: portraits on backgrounds, labeled by a teacher.

    python3 -m attitude_training.detector.composites DATA YUNET.onnx FOLDER [--split train] [--count N] [--seed N]
        [--processes N]

Writes shards of pictures into FOLDER: `WIDTHxHEIGHT-INDEX.npy` with luma (n, height, width), uint8, and a `.npz` of the
same name with `faces` (m, 15), in rows as in detections.py, and `counts` (n,), the number of faces per picture. An
interrupted run is resumed by the same command.

The teacher sees the pictures in color, and small ones at twice the size of the student's input: the student learns to
find faces that the teacher would miss at the size of the student's input. A face that was pasted is a label even if the
teacher misses it, from MIN_KNOWN_HEIGHT px to larger than the picture. Other heads that the teacher misses, such as
tiny or turned ones, are rows with the score UNCERTAIN: neither faces nor background.
"""

import math
import multiprocessing
import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..common.command_line import parser
from ..data.faces import TRAIN, VALIDATION
from ..data.fer2013 import SIDE as SQUARE_SIDE
from ..data.landmarks import MIRRORED
from .detections import (
    BOX,
    FIELDS,
    LANDMARKS,
    OVERLAP,
    SCORE,
    UNCERTAIN,
    Detector,
    Yunet,
    are_among,
    without_overlaps,
)
from .drawing import (
    OPAQUE,
    covered,
    covering,
    darkened,
    draw_marks,
    head,
    log_uniform,
    paste,
    pose,
    relit,
    side_lit,
    texture,
)
from .material import Material

# Width and height of the student's input, their shares, and the scale of the teacher's input relative to it. 16:9 video
# at a quarter of 720p is padded to the first size. In the large pictures there is nothing that a still larger teacher's
# input would show.
SIZES = ((320, 192), (320, 320), (192, 320), (640, 384), (640, 640))
SIZE_SHARES = (0.4, 0.15, 0.1, 0.2, 0.15)
TEACHER_SCALES = (2, 2, 2, 1, 1)
# Minimum score of the teacher's faces, and the score from which on it is sure that a head is a face.
TEACHER_THRESHOLD, SURE_SCORE = 0.2, 0.6
# Pictures per shard: a minute's work, and a file of 30 to 200 MB.
SHARD = 500
COUNT = 60_000

# Kinds of pictures. The others are grids like a video meeting's.
EMPTY_SHARE = 0.2
# With one face that is larger than a sixth of the picture. Only large pictures have faces of several hundred px.
CLOSE_UP_SHARE, LARGE_CLOSE_UP_SHARE, MIN_CLOSE_UP = 0.2, 0.35, 1 / 6
# With up to MAX_FACES faces of up to half the picture: a share of the other pictures.
GROUP_SHARE, MAX_FACES, MAX_GROUP_FACE = 0.6, 9, 1 / 2
# Rows and columns of grids, maximum gap between tiles in px, share of grids with people, share of their tiles with one,
# and the range of their heights in heights of a tile.
GRIDS = ((1, 2), (2, 1), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (4, 5))
MAX_GAP, INHABITED_SHARE, TILE_SHARE, TILE_FACES = 8, 0.8, 0.8, (0.25, 0.9)
# Share of pictures that are padded like frames with other proportions than the detector's input, and its maximum in px.
PADDED_SHARE, MAX_PADDING = 0.4, 60

# Shares of backgrounds that are photos, and textures; the others have one color.
PHOTO_SHARE, TEXTURE_SHARE = 0.8, 0.1
# Share of dark pictures, and the light that is left in them.
STAGE_SHARE, STAGE_GAINS = 0.12, (0.03, 0.4)

# Minimum height of a face, in px of the student's input, and of a face that is a label even if the teacher misses it.
MIN_HEIGHT, MIN_KNOWN_HEIGHT = 9, 12
# Maximum height of a face, in heights of the picture, and the share of a face that must be in the picture if it is a
# label even if the teacher misses it.
MAX_HEIGHT, MIN_KNOWN_SHARE = 1.6, 0.45
# Range of the minimum distance of a face's middle from the edges, in heights of the face, and the maximum share of a
# face that another one covers.
MARGINS, MAX_OVERLAP = (0.2, 0.5), 0.1
# Rotation of heads in degrees: standard deviation for UPRIGHT_SHARE of them, and the maximum for the others; and the
# maximum of a face that is a label even if the teacher misses it.
UPRIGHT_SHARE, UPRIGHT_SPREAD, MAX_TURN, MAX_KNOWN_TURN = 0.8, 10, 70, 40
# Share of heads from FER2013, which are small and gray, but turned away more often than the portraits.
SQUARES_SHARE = 0.35
# Maximum height of heads from FER2013, in px; the teacher misses larger ones because they are blurred.
MAX_SQUARE_HEIGHT = 5 * SQUARE_SIDE
# Shares of heads that are lit from one side, that are darkened, and of portraits that are partly covered.
SIDE_LIGHT_SHARE, DARKENED_SHARE, COVERED_SHARE = 0.25, 0.25, 0.1

# Objects that are not faces: share of pictures with them, maximum number, minimum size in px and maximum in heights of
# the picture; share of parts of faces among them, their distance from a landmark and half their size in heights of the
# face; half the size of other parts in px.
PARTS_SHARE, MAX_PARTS, MIN_PART, MAX_PART = 0.2, 3, 20, 1 / 2
FACE_PARTS_SHARE, PART_SHIFT, PART_EXTENTS, OTHER_PART_EXTENT = 0.5, 0.08, (0.12, 0.22), 32

# Share of pictures with small shapes and letters such as logos.
MARKS_SHARE = 0.25

# The landmarks of heads from FER2013 are not known, and not used.
SQUARE_LANDMARKS = np.zeros((5, 2))


def backdrop(material: Material, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Creates a background (height, width, 3) with a width and height."""
    kind = rng.random()
    if kind < PHOTO_SHARE:
        return covering(material.background(rng), size, rng)
    if kind < PHOTO_SHARE + TEXTURE_SHARE:
        return texture(size, rng)
    return np.full((size[1], size[0], 3), rng.integers(0, 256, 3), np.uint8)


def turn(rng: np.random.Generator) -> float:
    """Chooses the rotation of a head in degrees: small for most, large for some."""
    return rng.normal(0, UPRIGHT_SPREAD) if rng.random() < UPRIGHT_SHARE else rng.uniform(-MAX_TURN, MAX_TURN)


def face_row(score: float, box: np.ndarray, landmarks: np.ndarray, matrix: np.ndarray, is_mirrored: bool) -> np.ndarray:
    """Returns the row (15,) of a head with a box (4,) and landmarks (5, 2) that was pasted with a matrix (2, 3)."""
    landmarks = (landmarks @ matrix[:, :2].T + matrix[:, 2])[MIRRORED if is_mirrored else slice(None)]
    size = box[2:] * math.hypot(matrix[0, 0], matrix[1, 0])
    center = matrix @ (*(box[:2] + box[2:] / 2), 1)
    return np.concatenate([[score], center - size / 2, size, landmarks.ravel()])


def put_face(
    material: Material,
    canvas: np.ndarray,
    center: np.ndarray,
    height: float,
    min_known_height: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Pastes a head. Returns its row (15,); the score is 1 if it is a label even if the teacher misses it."""
    is_mirrored = rng.random() < 0.5
    degrees = turn(rng)
    is_side_lit, is_darkened = rng.random(2) < (SIDE_LIGHT_SHARE, DARKENED_SHARE)

    def light(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
        if is_darkened:
            picture = darkened(picture, box, rng)
        return side_lit(relit(picture, rng), box, rng) if is_side_lit else relit(picture, rng)

    if height <= MAX_SQUARE_HEIGHT and rng.random() < SQUARES_SHARE:
        square = cv2.cvtColor(material.squares.images[material.square(rng)], cv2.COLOR_GRAY2BGR)
        box = np.array((0, 0, *square.shape[:2]))
        matrix = pose(box, center, height, degrees, is_mirrored)
        paste(canvas, light(square, box), head(square, box, rng), matrix)
        return face_row(UNCERTAIN, box, SQUARE_LANDMARKS, matrix, is_mirrored)
    index = material.portrait(rng)
    picture, box = material.portraits.images[index], material.portraits.boxes[index]
    opacity = head(picture, box, rng)
    is_covered = rng.random() < COVERED_SHARE
    if is_covered:
        picture = covered(picture, rng)
    matrix = pose(box, center, height, degrees, is_mirrored)
    paste(canvas, light(picture, box), opacity, matrix)
    row = face_row(1.0, box, material.portraits.landmarks[index], matrix, is_mirrored)
    corner, size = row[1:3], row[3:5]
    seen = np.clip(np.minimum(corner + size, canvas.shape[1::-1]) - np.maximum(corner, 0), 0, None)
    is_cut = seen.prod() <= MIN_KNOWN_SHARE * size.prod()
    if is_covered or is_cut or abs(degrees) > MAX_KNOWN_TURN or height < min_known_height:
        row[SCORE] = UNCERTAIN
    return row


def put_part(
    material: Material, canvas: np.ndarray, center: np.ndarray, height: float, rng: np.random.Generator
) -> None:
    """Pastes an object that is not a face: an eye, a mouth, a cheek, a piece of a background or a texture."""
    if rng.random() < FACE_PARTS_SHARE:
        index = rng.integers(len(material.portraits))
        picture, box = material.portraits.images[index], material.portraits.boxes[index]
        landmark = material.portraits.landmarks[index][rng.integers(5)]
        x, y = landmark + rng.normal(0, PART_SHIFT * box[3], 2)
        extent = rng.uniform(*PART_EXTENTS) * box[3]
    else:
        x = y = extent = OTHER_PART_EXTENT
        picture = backdrop(material, (2 * extent, 2 * extent), rng)
    rows, columns = (slice(int(max(0, at - extent)), int(max(0, at + extent)) + 1) for at in (y, x))
    part = picture[rows, columns]
    if part.size == 0:
        # The landmark is outside the picture.
        return
    part = relit(part, rng)
    box = (0, 0, *part.shape[1::-1])
    opacity = np.full(part.shape[:2], OPAQUE, np.uint8)
    paste(canvas, part, opacity, pose(box, center, height, turn(rng), False))


def overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the intersection of boxes (n, 4) with one box (4,), as shares of the smaller box."""
    common = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:]) - np.maximum(boxes[:, :2], box[:2])
    return common.clip(0).prod(1) / np.minimum(boxes[:, 2:].prod(1), box[2:].prod())


def fill(
    material: Material,
    canvas: np.ndarray,
    count: int,
    heights: tuple[float, float],
    scale: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws a background and up to `count` faces with heights in a range, in px. Returns the heads' rows (n, 15).

    The canvas has `scale` times the size of the student's input.
    """
    rows, columns = canvas.shape[:2]
    canvas[:] = relit(backdrop(material, (columns, rows), rng), rng)
    if rng.random() < STAGE_SHARE:
        canvas[:] = (canvas * log_uniform(rng, *STAGE_GAINS)).astype(np.uint8)
    if rng.random() < MARKS_SHARE:
        draw_marks(canvas, rng)
    if rng.random() < PARTS_SHARE:
        for _ in range(rng.integers(1, MAX_PARTS + 1)):
            center = rng.uniform((0, 0), (columns, rows))
            put_part(material, canvas, center, log_uniform(rng, MIN_PART, MAX_PART * rows), rng)
    taken, heads = np.empty((0, 4)), []
    for _ in range(count):
        height = log_uniform(rng, *heights)
        margin = np.minimum(rng.uniform(*MARGINS) * height, (columns / 2, rows / 2))
        center = rng.uniform(margin, (columns, rows) - margin)
        box = np.array([*(center - 0.5 * height), height, height])
        if (overlap(taken, box) > MAX_OVERLAP).any():
            continue
        taken = np.vstack([taken, box])
        heads.append(put_face(material, canvas, center, height, scale * MIN_KNOWN_HEIGHT, rng))
    return np.array(heads).reshape(-1, FIELDS)


def meeting(material: Material, frame: np.ndarray, scale: int, rng: np.random.Generator) -> np.ndarray:
    """Draws a grid of people, each on a background. Returns the heads' rows (n, 15)."""
    height, width = frame.shape[:2]
    rows, columns = GRIDS[rng.integers(len(GRIDS))]
    gap = int(rng.integers(0, MAX_GAP + 1))
    frame[:] = rng.integers(0, 256, 3)
    inhabited = TILE_SHARE * (rng.random() < INHABITED_SHARE)
    heads = []
    for row in range(rows):
        for column in range(columns):
            y, bottom = height * row // rows + gap, height * (row + 1) // rows
            x, right = width * column // columns + gap, width * (column + 1) // columns
            low, high = (share * (bottom - y) for share in TILE_FACES)
            heights = max(scale * MIN_HEIGHT, low), high
            found = fill(material, frame[y:bottom, x:right], int(rng.random() < inhabited), heights, scale, rng)
            found[:, BOX][:, :2] += (x, y)
            found[:, LANDMARKS] += np.tile((x, y), 5)
            heads.append(found)
    return np.concatenate(heads)


def scene(
    material: Material, size: tuple[int, int], scale: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Creates a picture of `scale` times a width and height. Returns it with the heads' rows (n, 15)."""
    width, height = (scale * side for side in size)
    canvas = np.zeros((height, width, 3), np.uint8)
    if rng.random() < PADDED_SHARE:
        if rng.random() < 0.5:
            height -= int(rng.integers(0, MAX_PADDING))
        else:
            width -= int(rng.integers(0, MAX_PADDING))
    frame = canvas[:height, :width]
    close_up_share = LARGE_CLOSE_UP_SHARE if scale == 1 else CLOSE_UP_SHARE
    kind = rng.random()
    if kind < EMPTY_SHARE:
        heads = fill(material, frame, 0, (), scale, rng)
    elif kind < EMPTY_SHARE + close_up_share:
        heads = fill(material, frame, 1, (MIN_CLOSE_UP * height, MAX_HEIGHT * height), scale, rng)
    elif rng.random() < GROUP_SHARE:
        heights = scale * MIN_HEIGHT, MAX_GROUP_FACE * height
        heads = fill(material, frame, rng.integers(1, MAX_FACES + 1), heights, scale, rng)
    else:
        heads = meeting(material, frame, scale, rng)
    return canvas, heads


def seen_by_student(picture: np.ndarray, scale: int) -> np.ndarray:
    """Converts the teacher's input to luma of the student's size."""
    luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    size = tuple(side // scale for side in luma.shape[::-1])
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA)


def labeled(picture: np.ndarray, heads: np.ndarray, scale: int, teacher: Detector) -> np.ndarray:
    """Returns the heads and the faces that the teacher finds (n, 15), in px of the student's input.

    `heads` are what `scene` returns. A head remains UNCERTAIN if the teacher is not sure of it.
    """
    heads = heads.astype(np.float32)
    known, uncertain = heads[heads[:, SCORE] > UNCERTAIN], heads[heads[:, SCORE] == UNCERTAIN]
    found = teacher(picture, TEACHER_THRESHOLD)
    unsure = (found[:, SCORE] < SURE_SCORE) & are_among(found[:, BOX], uncertain[:, BOX], OVERLAP)
    faces = without_overlaps(np.vstack([found[~unsure], known]))
    rows = np.vstack([faces, uncertain[~are_among(uncertain[:, BOX], faces[:, BOX], OVERLAP)]])
    rows[:, 1:] /= scale
    return rows


def write_shard(
    path: Path,
    count: int,
    size: tuple[int, int],
    scale: int,
    seed: tuple[int, int],
    material: Material,
    teacher: Detector,
) -> None:
    """Creates `count` pictures, and writes them atomically."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, size[1], size[0]), np.uint8)
    rows = []
    for image in images:
        picture, heads = scene(material, size, scale, rng)
        image[:] = seen_by_student(picture, scale)
        rows.append(labeled(picture, heads, scale, teacher))
    np.savez(path.with_suffix(".npz"), faces=np.concatenate(rows), counts=[len(part) for part in rows])
    new = path.with_suffix(".new")
    with open(new, "wb") as file:
        np.save(file, images)
    os.replace(new, path)


def main(arguments: Sequence[str] | None = None) -> None:
    options_parser = parser(__doc__)
    add = options_parser.add_argument
    add("data", type=Path)
    add("teacher", type=Path)
    add("folder", type=Path)
    add("--split", choices=(TRAIN, VALIDATION), default=TRAIN, help="material to use (default: %(default)s)")
    add("--count", type=int, default=COUNT, help="number of pictures (default: %(default)s)")
    add("--shard", type=int, default=SHARD, help="pictures per file (default: %(default)s)")
    add("--seed", type=int, default=1, help="seed of all pictures (default: %(default)s)")
    add("--processes", type=int, default=os.cpu_count(), help="number of processes (default: one per core)")
    options = options_parser.parse_args(arguments)

    options.folder.mkdir(parents=True, exist_ok=True)
    material = Material.load(options.data, options.split, Yunet(options.teacher))
    cv2.setNumThreads(1)
    shards = options.count // options.shard
    sizes = np.random.default_rng(options.seed).choice(len(SIZES), shards, p=SIZE_SHARES)

    def work(worker: int) -> None:
        teacher = Yunet(options.teacher)
        for index in range(worker, shards, options.processes):
            width, height = size = SIZES[sizes[index]]
            scale = TEACHER_SCALES[sizes[index]]
            path = options.folder / f"{width}x{height}-{index:04}.npy"
            if not path.exists():
                write_shard(path, options.shard, size, scale, (options.seed, index), material, teacher)
                print(path.name, flush=True)

    # Forked processes share the material.
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(index,)) for index in range(options.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("a worker failed")


if __name__ == "__main__":
    main()
