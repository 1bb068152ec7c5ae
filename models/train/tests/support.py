# SPDX-License-Identifier: MPL-2.0
"""Generates tiny data sets in the formats of the real ones, and a detector that finds the drawn faces.

A drawn face is a bright disc with dark eyes and a mouth, on a dark background. A happy one smiles, a neutral one has a
straight mouth, and the mouth of all others is bent downwards.
"""

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from attitude_training.data.labels import EMOTIONS

# Share of the side of a picture that a drawn face fills, and landmarks relative to its box.
FACE = 0.6
LANDMARKS = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.55], [0.33, 0.75], [0.67, 0.75]])
BENDS = {"happiness": 1, "neutral": 0}
LABELS = {"neutral": "neutral", "happiness": "happy", "surprise": "surprise", "sadness": "sad", "anger": "angry"}


def drawn(side: int, emotion: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draws a face. Returns the picture (side, side), uint8, its box (4,) and its landmarks (5, 2), in px."""
    picture = rng.integers(0, 40, (side, side)).astype(np.uint8)
    extent = FACE * side
    corner = np.full(2, (side - extent) / 2)
    points = corner + LANDMARKS * extent
    cv2.circle(picture, (side // 2, side // 2), round(extent / 2), int(rng.integers(180, 256)), -1)
    for eye in points[:2]:
        cv2.circle(picture, eye.round().astype(int).tolist(), max(1, side // 20), 0, -1)
    bend = BENDS.get(emotion, -1)
    middle = points[3:].mean(0) + np.array([0, bend * 0.1 * extent])
    line = np.stack([points[3], middle, points[4]]).round().astype(int)
    cv2.polylines(picture, [line], False, 0, max(1, side // 24))
    return picture, np.array([*corner, extent, extent]), points


def encoded(picture: np.ndarray) -> bytes:
    """Returns a picture as a PNG file."""
    return cv2.imencode(".png", picture)[1].tobytes()


def write_archive(path: Path, files: dict[str, bytes]) -> None:
    """Writes a tar archive."""
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def write_lines(path: Path, rows: list[dict]) -> None:
    """Writes JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_fer2013(folder: Path, count: int, rng: np.random.Generator) -> None:
    """Writes pictures whose voters mostly see the drawn emotion; in one of seven, most see none."""
    emotions = [list(LABELS)[index % len(LABELS)] for index in range(count)]
    votes = np.zeros((count, 10), np.uint8)
    for index, emotion in enumerate(emotions):
        # Between 6 and 10 voters agree.
        agreeing = 6 + index % 5
        votes[index, EMOTIONS.index(emotion)] += agreeing
        votes[index, EMOTIONS.index("fear")] += 10 - agreeing
        if index % 7 == 6:
            votes[index] = [0] * 8 + [9, 1]
            votes[index, EMOTIONS.index(emotion)], votes[index, 8] = 1, 8
    np.savez(
        folder / "fer2013-0.npz",
        images=np.stack([drawn(48, emotion, rng)[0] for emotion in emotions]),
        usage=np.array(["PublicTest" if index % 3 == 0 else "Training" for index in range(count)]),
        label=np.array([LABELS[emotion] for emotion in emotions]),
        votes=votes,
        name=np.array([f"fer{index:07}.png" for index in range(count)]),
    )


def write_second_set(folder: Path, count: int, rng: np.random.Generator) -> None:
    """Writes photos of one person each, the last one without a face."""
    files, rows = {}, []
    for index in range(count):
        emotion = ("happiness", "neutral", "anger")[index % 3]
        picture, box, points = drawn(112, emotion, rng)
        name = f"person_{index:04}.png"
        files[name] = encoded(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        row = {"file": name, "label": emotion, "identity": f"person_{index}"}
        if index < count - 1:
            row |= {"box": box.tolist(), "landmarks": points.tolist()}
        rows.append(row)
    write_archive(folder / "muxspace-0.tar", files)
    write_lines(folder / "muxspace.jsonl", rows)


def write_london(folder: Path, people: int, rng: np.random.Generator) -> None:
    """Writes two pictures of each person."""
    files, rows = {}, []
    for index in range(people):
        for attitude, emotion in (("neutral", "neutral"), ("positive", "happiness")):
            name = f"{attitude}/{index:03}.png"
            files[name] = encoded(cv2.cvtColor(drawn(320, emotion, rng)[0], cv2.COLOR_GRAY2BGR))
            rows.append(
                {
                    "file": name,
                    "attitude": attitude,
                    "person": f"{index:03}",
                    "age": ("19", "30", "48", "NA")[index % 4],
                    "gender": ("female", "male")[index % 2],
                    "eth": ("white", "black", "east_asian")[index % 3],
                }
            )
    write_archive(folder / "london.tar", files)
    write_lines(folder / "london.jsonl", rows)


def write_backgrounds(folder: Path, count: int, rng: np.random.Generator) -> None:
    """Writes dark noise; every fourth picture counts as one with a face."""
    names = [f"background_{index}.png" for index in range(count)]
    files = {name: encoded(rng.integers(0, 80, (60, 80, 3)).astype(np.uint8)) for name in names}
    write_archive(folder / "backgrounds.tar", files)
    rows = [{"file": name, "faces": [[0] * 15] if index % 4 == 0 else []} for index, name in enumerate(names)]
    write_lines(folder / "backgrounds.jsonl", rows)


def write_data(folder: Path) -> None:
    """Writes a data folder."""
    rng = np.random.default_rng(0)
    write_fer2013(folder, 120, rng)
    write_second_set(folder, 150, rng)
    write_london(folder, 12, rng)
    write_backgrounds(folder, 120, rng)


class BrightCells(nn.Module):
    """Finds a face of 96 px, with YuNet's tensors, around each bright cell of 32 px."""

    SIZE = 3.0

    def forward(self, picture: torch.Tensor) -> tuple[torch.Tensor, ...]:
        outputs = []
        for stride in (8, 16, 32):
            brightness = avg_pool2d(picture.mean(1, keepdim=True), stride).flatten(2).transpose(1, 2) / 255
            score = brightness if stride == max((8, 16, 32)) else brightness * 0
            box = torch.cat([score * 0 + 0.5] * 2 + [score * 0 + float(np.log(self.SIZE))] * 2, 2)
            offsets = (0.5 + (LANDMARKS - 0.5) * self.SIZE).ravel()
            points = torch.cat([score * 0 + float(offset) for offset in offsets], 2)
            outputs += [score, score, box, points]
        return tuple(outputs)


def write_yunet(path: Path) -> None:
    """Writes BrightCells as ONNX, with YuNet's names."""
    names = [f"{part}_{stride}" for stride in (8, 16, 32) for part in ("cls", "obj", "bbox", "kps")]
    torch.onnx.export(
        BrightCells().eval(),
        (torch.zeros(1, 3, 64, 96),),
        path,
        input_names=["input"],
        output_names=names,
        dynamic_axes={"input": {0: "n", 2: "h", 3: "w"}},
        opset_version=17,
        dynamo=False,
    )
