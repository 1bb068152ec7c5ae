#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Compares following known faces between searches with searching every sample.

    tests/bench/following.py CLIP... [--rounds N] [--output FOLDER]

Builds the plugin, and analyzes each clip on one core with five samples per second, with the default
`detection-interval` and with 0, in turns. Prints a Markdown table and writes it to following.md in the output folder
(default: output/bench):

    CPU        CPU time per sample with the default, divided by that with 0; median over the rounds of the differences
               to the preceding run that samples only the first frame
    searches   share of the samples in which the whole frame was searched, with the default
    IoU        median IoU of the boxes of the same faces in both
    landmarks  median distance of their landmarks, in heights of the box
    same       share of these faces with the same attitude
    only       faces that only one of both has, as a share of all
    tracks     number of tracks of each

Further rows compare `detector-size=352` with 320, both with `detection-interval=0`, as a measure of how much such
results vary anyway.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE_NS = 200_000_000
NEVER_NS = 1 << 62
# Minimum IoU of two boxes that are the same face.
MIN_IOU = 0.3


def run(clip, properties, interval_ns=SAMPLE_NS):
    """Analyzes `clip`. Returns its records, and the CPU time in seconds."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        description = (
            f"filesrc location={clip} ! decodebin ! videoconvert "
            f"! faceattitude mode=sync sample-interval={interval_ns} messages=none {properties} "
            f"! attitudeexport interval=sample ! filesink location={file.name}"
        )
        subprocess.run(["taskset", "-c", "0", "gst-launch-1.0", "-q", *description.split()], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        records = [json.loads(line) for line in file.read().splitlines()]
    return records, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu_ratio(clip, rounds):
    """Returns the CPU time per sample with the default, divided by that with `detection-interval=0`."""
    costs = {"": [], "detection-interval=0": []}
    for _ in range(rounds):
        for properties, seconds in costs.items():
            _, base = run(clip, properties, NEVER_NS)
            _, total = run(clip, properties)
            seconds.append(total - base)
    default, searching = map(statistics.median, costs.values())
    return default / searching


def iou(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def pairs(a, b):
    """Yields the faces of two records that are the same, in the order of decreasing IoU."""
    candidates = sorted(
        ((iou(x["box"], y["box"]), i, j) for i, x in enumerate(a["faces"]) for j, y in enumerate(b["faces"])),
        reverse=True,
    )
    used = set()
    for overlap, i, j in candidates:
        if overlap >= MIN_IOU and not {("a", i), ("b", j)} & used:
            used |= {("a", i), ("b", j)}
            yield overlap, a["faces"][i], b["faces"][j]


def landmark_distance(a, b):
    distances = (((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 for (ax, ay), (bx, by) in zip(a["landmarks"], b["landmarks"]))
    return statistics.mean(distances) / b["box"][3]


def tracks(records):
    return len({face["track"] for record in records for face in record["faces"]})


def compare(name, records, reference, cpu, searches):
    """Returns a row of the table."""
    if [record["pts_ns"] for record in records] != [record["pts_ns"] for record in reference]:
        sys.exit(f"{name}: the samples differ")
    same = [pair for a, b in zip(records, reference) for pair in pairs(a, b)]
    faces = sum(len(record["faces"]) for record in records + reference)
    overlaps = [overlap for overlap, _, _ in same]
    distances = [landmark_distance(a, b) for _, a, b in same if a["landmarks"] and b["landmarks"]]
    agreement = sum(a["attitude"] == b["attitude"] for _, a, b in same) / len(same)
    return [
        name,
        len(records),
        cpu,
        searches,
        f"{statistics.median(overlaps):.2f}",
        f"{statistics.median(distances):.3f}",
        f"{agreement:.2f}",
        f"{1 - 2 * len(same) / faces:.2f}",
        f"{tracks(records)}, {tracks(reference)}",
    ]


def search_share(clip):
    """Returns the share of the samples in which the whole frame was searched."""
    sys.path.insert(0, "/usr/lib/python3/dist-packages")
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    Gst.init(None)
    pipeline = Gst.parse_launch(
        f"filesrc location={clip} ! decodebin ! videoconvert ! faceattitude name=faces mode=sync ! fakesink"
    )
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    stats = pipeline.get_by_name("faces").get_property("stats")
    share = stats.get_uint64("searches").value / stats.get_uint64("samples").value
    pipeline.set_state(Gst.State.NULL)
    return share


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=pathlib.Path, metavar="CLIP")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output/bench")
    arguments = parser.parse_args()
    os.environ["GST_PLUGIN_PATH"] = str(build.release("--package", "gst-plugin-attitude", "--lib"))
    rows = []
    for clip in arguments.clips:
        reference, _ = run(clip, "detection-interval=0")
        records, _ = run(clip, "")
        cpu = f"{cpu_ratio(clip, arguments.rounds):.2f}"
        rows.append(compare(clip.stem, records, reference, cpu, f"{search_share(clip):.2f}"))
        wider, _ = run(clip, "detection-interval=0 detector-size=352")
        rows.append(compare(f"{clip.stem}, 352 px", wider, reference, "", ""))
    header = ["clip", "samples", "CPU", "searches", "IoU", "landmarks", "same", "only", "tracks"]
    table = [f"| {' | '.join(map(str, row))} |" for row in [header, ["---"] * len(header), *rows]]
    text = "\n".join(table) + "\n"
    print(text)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "following.md").write_text(text)


if __name__ == "__main__":
    main()
