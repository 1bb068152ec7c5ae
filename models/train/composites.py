# SPDX-License-Identifier: MPL-2.0
"""Creates pictures for the training of the face detector: portraits on backgrounds, labelled by a teacher.

    python3 models/train/composites.py DATA YUNET.onnx FOLDER [--split train] [--count N] [--seed N] [--processes N]

Writes shards of SHARD pictures into FOLDER: `WIDTHxHEIGHT-INDEX.npy` with luma (n, height, width), uint8, and a `.npz`
of the same name with `faces` (m, 15), in rows as in detections.py, and `counts` (n,), the number of faces per picture.
An interrupted run is resumed by the same command.

The teacher sees the pictures in colour, and small ones at twice the size of the student's input: the student learns to
find faces that the teacher would miss at the size of the student's input. A face that was pasted is a label even if the
teacher misses it, from MIN_KNOWN_HEIGHT px to larger than the picture.
"""

import argparse
import json
import math
import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import faces
from detections import FIELDS, LANDMARKS, Yunet, without_overlaps

# Width and height of the student's input, their shares, and the scale of the teacher's input relative to it. 16:9 video
# at a quarter of 720p is padded to the first size. In the large pictures there is nothing that a still larger teacher's
# input would show.
SIZES = ((320, 192), (320, 320), (192, 320), (640, 384), (640, 640))
SIZE_SHARES = (0.5, 0.15, 0.1, 0.15, 0.1)
TEACHER_SCALES = (2, 2, 2, 1, 1)
# Minimum score of the teacher's faces.
TEACHER_THRESHOLD = 0.2
SHARD = 500
# Shares of the backgrounds, in per cent.
VALIDATION_SHARE, TEST_SHARE = 7, 8

# Minimum height of a face, in px of the student's input, and of a face that is a label even if the teacher misses it.
MIN_HEIGHT, MIN_KNOWN_HEIGHT = 9, 12
# Maximum height of a face, in heights of the picture, and the share of a face that must be in the picture if it is a
# label even if the teacher misses it.
MAX_HEIGHT, MIN_KNOWN_SHARE = 1.6, 0.45
# Share of pictures with one face that is larger than a sixth of the picture.
CLOSE_UP_SHARE = 0.25
# Maximum rotation of a face that is a label even if the teacher misses it, in degrees.
MAX_KNOWN_TURN = 40
# Minimum distance of the nose from the middle of the face if a head is turned away, in distances of the eyes from the
# mouth.
TURNED_AWAY = 0.24
# Share of heads that are turned away. They are a tenth of the material, and detectors miss them most often.
TURNED_AWAY_SHARE = 0.35
# Share of heads from FER2013, which are small and grey, but turned away more often than the portraits.
SQUARES_SHARE = 0.35
# Maximum height of heads from FER2013, in px; the teacher misses larger ones because they are blurred.
MAX_SQUARE_HEIGHT = 5 * faces.FER2013_SIDE
# Share of dark pictures, and of heads that are lit from one side.
STAGE_SHARE, SIDE_LIGHT_SHARE = 0.12, 0.25
# Rows and columns of video meetings.
GRIDS = ((1, 2), (2, 1), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4), (4, 5))
MIRRORED = [1, 0, 2, 4, 3]


@dataclass(frozen=True)
class Material:
    """The pictures that composites consist of.

    portraits: faces.Faces in colour, with landmarks.
    squares: faces.Faces of FER2013, without landmarks.
    backgrounds: pictures (height, width, 3).
    turned_portraits, turned_squares: indices of heads that are turned away.
    crowded: indices of backgrounds with faces.
    """

    portraits: faces.Faces
    squares: faces.Faces
    backgrounds: list
    turned_portraits: np.ndarray
    turned_squares: np.ndarray
    crowded: np.ndarray

    @staticmethod
    def load(folder, split, teacher):
        rows = [json.loads(line) for line in (Path(folder) / "backgrounds.jsonl").read_text().splitlines()]
        rows = [row for row in rows if faces.split_of(row["file"], VALIDATION_SHARE, TEST_SHARE) == split]
        files = faces.archived([Path(folder) / "backgrounds.tar"])
        portraits = faces.second_set(folder, cv2.IMREAD_COLOR).of(split)
        squares = faces.fer2013(folder).of(split)
        return Material(
            portraits,
            squares,
            [faces.decoded(files[row["file"]], cv2.IMREAD_COLOR) for row in rows],
            np.flatnonzero([turned_away(points) > TURNED_AWAY for points in portraits.landmarks]),
            np.flatnonzero([is_turned_square(image, teacher) for image in squares.images]),
            np.flatnonzero([len(row["faces"]) > 0 for row in rows]),
        )

    def square(self, rng):
        """Chooses the index of a picture of FER2013."""
        return pick(rng, len(self.squares), self.turned_squares)

    def portrait(self, rng):
        """Chooses the index of a portrait."""
        return pick(rng, len(self.portraits), self.turned_portraits)

    def background(self, rng):
        """Chooses a photo, preferring photos with people, because they contain faces in the wild."""
        if rng.random() < 0.2:
            return self.backgrounds[rng.choice(self.crowded)]
        return self.backgrounds[rng.integers(len(self.backgrounds))]


def pick(rng, count, turned):
    """Chooses one of `count` heads, preferring those that are turned away."""
    if rng.random() < TURNED_AWAY_SHARE:
        return rng.choice(turned)
    return rng.integers(count)


def turned_away(landmarks):
    """Returns the sideways distance of the nose from the middle of a face (5, 2), in distances of eyes from mouth."""
    eyes, nose, mouth = landmarks[:2].mean(0), landmarks[2], landmarks[3:].mean(0)
    (x, y), (nose_x, nose_y) = mouth - eyes, nose - (eyes + mouth) / 2
    return abs(x * nose_y - y * nose_x) / max(x * x + y * y, 1e-6)


def is_turned_square(image, teacher):
    """Returns whether the teacher finds a head that is turned away in a picture of FER2013."""
    side = 2 * faces.FER2013_SIDE
    picture = cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)
    picture = cv2.copyMakeBorder(picture, 16, 16, 16, 16, cv2.BORDER_REPLICATE)
    found = teacher(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), 0.5)
    return len(found) > 0 and turned_away(found[0, LANDMARKS].reshape(5, 2)) > TURNED_AWAY


def log_uniform(rng, low, high):
    return math.exp(rng.uniform(math.log(low), math.log(max(low, high))))


def texture(size, rng):
    """Draws clouds with shapes and letters, (height, width, 3)."""
    width, height = size
    grain = log_uniform(rng, 2, 100)
    cells = rng.integers(0, 256, (math.ceil(height / grain) + 1, math.ceil(width / grain) + 1, 3), dtype=np.uint8)
    picture = cv2.resize(cells, size, interpolation=cv2.INTER_CUBIC)
    picture = cv2.addWeighted(picture, rng.uniform(0, 1), np.full_like(picture, rng.integers(256)), 0.5, 0)
    for _ in range(rng.integers(0, 12)):
        color = rng.integers(0, 256, 3).tolist()
        center = (int(rng.integers(width)), int(rng.integers(height)))
        extent = int(log_uniform(rng, 3, height / 3))
        thickness = int(rng.choice((-1, 1, 2, 5)))
        shape = rng.integers(4)
        if shape == 0:
            cv2.ellipse(picture, center, (extent, int(extent * rng.uniform(0.3, 1.5))), 0, 0, 360, color, thickness)
        elif shape == 1:
            far = (center[0] + extent, center[1] + int(extent * rng.uniform(0.3, 1.5)))
            cv2.rectangle(picture, center, far, color, thickness)
        elif shape == 2:
            far = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.line(picture, center, far, color, abs(thickness))
        else:
            text = "".join(map(chr, rng.integers(33, 123, rng.integers(1, 12))))
            cv2.putText(picture, text, center, cv2.FONT_HERSHEY_SIMPLEX, extent / 30, color, abs(thickness))
    return picture


def covering(picture, size, rng):
    """Cuts a random part of a picture, scaled to `size`."""
    width, height = size
    rows, columns = picture.shape[:2]
    share = rng.uniform(0.4, 1)
    scale = max(width / columns, height / rows) / share
    shown = (min(columns, round(width / scale)), min(rows, round(height / scale)))
    x, y = rng.integers(0, columns - shown[0] + 1), rng.integers(0, rows - shown[1] + 1)
    part = picture[y : y + shown[1], x : x + shown[0]]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def backdrop(material, size, rng):
    """Creates a background, (height, width, 3)."""
    kind = rng.random()
    if kind < 0.8:
        return covering(material.background(rng), size, rng)
    if kind < 0.9:
        return texture(size, rng)
    return np.full((size[1], size[0], 3), rng.integers(0, 256, 3), np.uint8)


def relit(picture, rng):
    """Changes the light and camera of a picture: gain, gamma, colour cast or greyscale."""
    if rng.random() < 0.3:
        return picture
    if rng.random() < 0.15:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    gains = math.exp(rng.normal(-0.1, 0.3)) * np.exp(rng.normal(0, 0.12, 3))
    table = 255 * (np.arange(256)[:, None] / 255) ** math.exp(rng.normal(0, 0.25)) * gains
    return cv2.LUT(picture, np.clip(table, 0, 255).astype(np.uint8)[None])


def side_lit(picture, box, rng):
    """Lights the content of a box from one side: the other side is dim or dark."""
    x, y, width, height = box
    angle = rng.uniform(0, 2 * math.pi)
    rows, columns = np.ogrid[: picture.shape[0], : picture.shape[1]]
    # Position along the direction of the light, relative to the middle of the box, in heights of the box.
    along = ((columns - x - width / 2) * math.cos(angle) + (rows - y - height / 2) * math.sin(angle)) / height
    light = np.clip(0.5 + rng.uniform(-0.3, 0.3) + along / rng.uniform(0.2, 1), rng.uniform(0.03, 0.5), 1)
    return (picture * light[:, :, None]).astype(np.uint8)


def covered(picture, rng):
    """Covers a part of a picture."""
    picture = picture.copy()
    height, width = (np.array(picture.shape[:2]) * rng.uniform(0.15, 0.5, 2)).astype(int)
    y, x = rng.integers(0, picture.shape[0] - height), rng.integers(0, picture.shape[1] - width)
    picture[y : y + height, x : x + width] = texture((width, height), rng)
    return picture


def head(picture, box, rng):
    """Returns the opacity of a portrait (height, width), uint8, which shows all of it or only the head."""
    opacity = np.full(picture.shape[:2], 255, np.uint8)
    if rng.random() < 0.5:
        return opacity
    x, y, width, height = box
    opacity[:] = 0
    center = (round(x + width / 2), round(y + height / 2))
    axes = (round(width * rng.uniform(0.5, 0.75)), round(height * rng.uniform(0.5, 0.65)))
    cv2.ellipse(opacity, center, axes, 0, 0, 360, 255, -1)
    return cv2.blur(opacity, (round(width * rng.uniform(0.02, 0.2)) + 1,) * 2)


def paste(canvas, picture, opacity, matrix):
    """Draws a picture onto the canvas; `matrix` (2, 3) maps coordinates of the picture to the canvas."""
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    layers = np.dstack([picture, opacity])
    if scale < 0.6:
        size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
        layers = cv2.resize(layers, size, interpolation=cv2.INTER_AREA)
        matrix = matrix @ np.diag([picture.shape[1] / size[0], picture.shape[0] / size[1], 1])
    rows, columns = layers.shape[:2]
    corners = matrix @ np.array([[0, columns, 0, columns], [0, 0, rows, rows], [1, 1, 1, 1]])
    low = np.floor(corners.min(1)).clip(0).astype(int)
    high = np.minimum(np.ceil(corners.max(1)).astype(int), canvas.shape[1::-1])
    if (low >= high).any():
        return
    # In OpenCV, the centre of the first pixel is at (0, 0).
    shift = matrix @ (0.5, 0.5, 1) - 0.5 - low
    warp = np.column_stack([matrix[:, :2], shift])
    layers = cv2.warpAffine(layers, warp, tuple((high - low).tolist()))
    part = canvas[low[1] : high[1], low[0] : high[0]]
    share = layers[:, :, 3:].astype(np.uint16)
    part[:] = (layers[:, :, :3] * share + part * (255 - share)) // 255


def turn(rng):
    """Chooses the rotation of a head in degrees: small for most, large for some."""
    return rng.normal(0, 10) if rng.random() < 0.8 else rng.uniform(-70, 70)


def pose(box, center, height, degrees, is_mirrored):
    """Returns the matrix (2, 3) that moves a face in `box` to `center` and scales the box to `height`."""
    x, y, width, box_height = box
    scale = height / box_height
    cos, sin = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if is_mirrored else 1.0, 1.0])
    return np.column_stack([linear, center - linear @ (x + width / 2, y + box_height / 2)])


def face_row(box, landmarks, matrix, is_mirrored):
    """Returns the row of a pasted portrait."""
    landmarks = (landmarks @ matrix[:, :2].T + matrix[:, 2])[MIRRORED if is_mirrored else slice(None)]
    size = box[2:] * math.hypot(matrix[0, 0], matrix[1, 0])
    center = matrix @ (*(box[:2] + box[2:] / 2), 1)
    return np.concatenate([[1], center - size / 2, size, landmarks.ravel()])


def put_face(material, canvas, center, height, min_known_height, rng):
    """Pastes a head. Returns its row if it is a label even if the teacher misses it, (0 or 1, 15)."""
    is_mirrored = rng.random() < 0.5
    degrees = turn(rng)
    is_side_lit = rng.random() < SIDE_LIGHT_SHARE

    def light(picture, box):
        return side_lit(relit(picture, rng), box, rng) if is_side_lit else relit(picture, rng)

    if height <= MAX_SQUARE_HEIGHT and rng.random() < SQUARES_SHARE:
        square = cv2.cvtColor(material.squares.images[material.square(rng)], cv2.COLOR_GRAY2BGR)
        box = np.array((0, 0, *square.shape[:2]))
        paste(canvas, light(square, box), head(square, box, rng), pose(box, center, height, degrees, is_mirrored))
        return np.empty((0, FIELDS))
    index = material.portrait(rng)
    picture, box = material.portraits.images[index], material.portraits.boxes[index]
    opacity = head(picture, box, rng)
    is_covered = rng.random() < 0.1
    if is_covered:
        picture = covered(picture, rng)
    matrix = pose(box, center, height, degrees, is_mirrored)
    paste(canvas, light(picture, box), opacity, matrix)
    if is_covered or abs(degrees) > MAX_KNOWN_TURN or height < min_known_height:
        return np.empty((0, FIELDS))
    row = face_row(box, material.portraits.landmarks[index], matrix, is_mirrored)
    corner, size = row[1:3], row[3:5]
    seen = np.clip(np.minimum(corner + size, canvas.shape[1::-1]) - np.maximum(corner, 0), 0, None)
    return row[None] if seen.prod() > MIN_KNOWN_SHARE * size.prod() else np.empty((0, FIELDS))


def put_part(material, canvas, center, height, rng):
    """Pastes an object that is not a face: an eye, a mouth, a cheek, a piece of a background or a texture."""
    if rng.random() < 0.5:
        index = rng.integers(len(material.portraits))
        picture, box = material.portraits.images[index], material.portraits.boxes[index]
        x, y = material.portraits.landmarks[index][rng.integers(5)] + rng.normal(0, 0.08 * box[3], 2)
        extent = rng.uniform(0.12, 0.22) * box[3]
    else:
        picture = backdrop(material, (64, 64), rng)
        x, y, extent = 32, 32, 32
    rows, columns = (slice(int(max(0, at - extent)), int(max(0, at + extent)) + 1) for at in (y, x))
    part = picture[rows, columns]
    if part.size == 0:
        # The landmark is outside the picture.
        return
    part = relit(part, rng)
    box = (0, 0, *part.shape[1::-1])
    paste(canvas, part, np.full(part.shape[:2], 255, np.uint8), pose(box, center, height, turn(rng), False))


def overlap(boxes, box):
    """Returns the intersection of boxes (n, 4) with one box (4,), as shares of the smaller box."""
    common = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:]) - np.maximum(boxes[:, :2], box[:2])
    return common.clip(0).prod(1) / np.minimum(boxes[:, 2:].prod(1), box[2:].prod())


def fill(material, canvas, count, heights, scale, rng):
    """Draws a background and up to `count` faces with heights in a range. Returns the rows of known faces."""
    rows, columns = canvas.shape[:2]
    canvas[:] = relit(backdrop(material, (columns, rows), rng), rng)
    if rng.random() < STAGE_SHARE:
        canvas[:] = (canvas * log_uniform(rng, 0.03, 0.4)).astype(np.uint8)
    if rng.random() < 0.2:
        for _ in range(rng.integers(1, 4)):
            put_part(material, canvas, rng.uniform((0, 0), (columns, rows)), log_uniform(rng, 20, rows / 2), rng)
    taken, known = np.empty((0, 4)), []
    for _ in range(count):
        height = log_uniform(rng, *heights)
        margin = np.minimum(rng.uniform(0.2, 0.5) * height, (columns / 2, rows / 2))
        center = rng.uniform(margin, (columns, rows) - margin)
        box = np.array([*(center - 0.5 * height), height, height])
        if (overlap(taken, box) > 0.1).any():
            continue
        taken = np.vstack([taken, box])
        known.append(put_face(material, canvas, center, height, scale * MIN_KNOWN_HEIGHT, rng))
    return np.concatenate([np.empty((0, FIELDS)), *known])


def scene(material, size, scale, rng):
    """Creates a picture (height, width, 3) of `scale` times `size`. Returns it with the known faces (n, 15)."""
    width, height = (scale * side for side in size)
    canvas = np.zeros((height, width, 3), np.uint8)
    if rng.random() < 0.4:
        # Padding, as for frames with other proportions than the detector's input.
        if rng.random() < 0.5:
            height -= int(rng.integers(0, 60))
        else:
            width -= int(rng.integers(0, 60))
    frame = canvas[:height, :width]
    smallest = scale * MIN_HEIGHT
    kind = rng.random()
    if kind < 0.2:
        return canvas, fill(material, frame, 0, (), scale, rng)
    if kind < 0.2 + CLOSE_UP_SHARE:
        return canvas, fill(material, frame, 1, (height / 6, MAX_HEIGHT * height), scale, rng)
    if kind < 0.75:
        return canvas, fill(material, frame, rng.integers(1, 8), (smallest, height / 2), scale, rng)
    rows, columns = GRIDS[rng.integers(len(GRIDS))]
    gap = int(rng.integers(0, 9))
    frame[:] = rng.integers(0, 256, 3)
    inhabited = 0.8 * (rng.random() < 0.8)
    known = []
    for row in range(rows):
        for column in range(columns):
            y, bottom = height * row // rows + gap, height * (row + 1) // rows
            x, right = width * column // columns + gap, width * (column + 1) // columns
            tile = frame[y:bottom, x:right]
            heights = max(smallest, 0.25 * (bottom - y)), 0.9 * (bottom - y)
            found = fill(material, tile, int(rng.random() < inhabited), heights, scale, rng)
            found[:, 1:3] += (x, y)
            found[:, 5:] += np.tile((x, y), 5)
            known.append(found)
    return canvas, np.concatenate(known)


def seen_by_student(picture, scale):
    """Converts the teacher's input to the student's."""
    luma = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    size = tuple(side // scale for side in luma.shape[::-1])
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA)


def labelled(picture, known, scale, teacher):
    """Returns the known faces and those that the teacher finds (n, 15), in pixels of the student's input."""
    found = without_overlaps(np.vstack([teacher(picture, TEACHER_THRESHOLD), known.astype(np.float32)]))
    found[:, 1:] /= scale
    return found


def write_shard(path, size, scale, seed, material, teacher):
    rng = np.random.default_rng(seed)
    images = np.empty((SHARD, size[1], size[0]), np.uint8)
    rows = []
    for image in images:
        picture, known = scene(material, size, scale, rng)
        image[:] = seen_by_student(picture, scale)
        rows.append(labelled(picture, known, scale, teacher))
    np.savez(path.with_suffix(".npz"), faces=np.concatenate(rows), counts=[len(part) for part in rows])
    new = path.with_suffix(".new")
    with open(new, "wb") as file:
        np.save(file, images)
    os.replace(new, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=(faces.TRAIN, faces.VALIDATION), default=faces.TRAIN)
    parser.add_argument("--count", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()

    options.folder.mkdir(parents=True, exist_ok=True)
    material = Material.load(options.data, options.split, Yunet(options.teacher))
    cv2.setNumThreads(1)
    shards = options.count // SHARD
    sizes = np.random.default_rng(options.seed).choice(len(SIZES), shards, p=SIZE_SHARES)

    def work(worker):
        teacher = Yunet(options.teacher)
        for index in range(worker, shards, options.processes):
            width, height = SIZES[sizes[index]]
            scale = TEACHER_SCALES[sizes[index]]
            path = options.folder / f"{width}x{height}-{index:04}.npy"
            if not path.exists():
                write_shard(path, (width, height), scale, (options.seed, index), material, teacher)
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
