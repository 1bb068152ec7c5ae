#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Measures gst-attitude study: time and peak memory with many made recordings.

    tests/bench/study.py [PROGRAM] [--recordings N] [--minutes N]

The records are made up, with one face and five samples per second; ten files of records stand for all recordings, by
hard links. Half of the participants, each in two recordings, are in one of two conditions.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import tempfile
import time
from pathlib import Path

FILES = 10
SAMPLES_PER_SECOND = 5
S = 1_000_000_000
NAMES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]
EMOTIONS = dict.fromkeys(NAMES, 0.125)


def write_records(path, seconds, generator):
    """Writes records of a face whose scores wander."""
    positive = 0.5
    with path.open("w") as file:
        for sample in range(seconds * SAMPLES_PER_SECOND):
            positive = min(max(positive + generator.gauss(0, 0.05), 0), 1)
            scores = {"positive": round(positive, 4), "neutral": round(1 - positive, 4), "negative": 0}
            time_ns = sample * S // SAMPLES_PER_SECOND
            face = {
                "track": 1, "box": [500.5, 200.25, 180.5, 220.75], "landmarks": [[560.5, 280.5]] * 5,
                "detection": 0.98,
                "attitude": "positive" if positive > 0.5 else "neutral",
                "confidence": round(max(positive, 1 - positive), 4),
                "scores": scores, "raw": scores, "fresh": True, "age_ns": 0,
                "valence": scores["positive"], "quality": 0.9,
                "emotions": EMOTIONS,
            }  # fmt: skip
            record = {
                "schema": 1, "stream": "made", "frame": sample * 5, "pts_ns": time_ns, "running_time_ns": time_ns,
                "stream_time_ns": time_ns, "utc": None, "width": 1280, "height": 720, "faces": [face],
            }  # fmt: skip
            file.write(json.dumps(record) + "\n")


def summary(name, seconds):
    timeline = {
        "samples": 0, "judged_samples": 0, "seen_ns": 0, "shares": None, "means": None, "confidence": None,
        "longest": {"positive": None, "neutral": None, "negative": None}, "segments": [], "gaps": [], "changes": [],
    }  # fmt: skip
    return {
        "document": 1, "program": "gst-attitude", "fingerprint": "", "damage": None, "notes": [],
        "recording": {
            "name": name, "path": None, "uri": f"file:///{name}.mp4", "size_bytes": 1, "modified_ns": 1, "width": 1280,
            "duration_ns": seconds * S, "height": 720, "frames_per_second": 25, "frames": 0, "failed_samples": 0,
        },
        "analysis": {"provider": "cpu", "settings": {"samples_per_second": 5, "min_confidence": 0.45}, "models": {}},
        "schema": 1, "samples": 0, "samples_with_faces": 0, "samples_left_out": 0, "faces": 0, "first_ns": None,
        "last_ns": None, "spacing_ns": None, "rules": {}, "scene": timeline, "persons": [],
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs="?", default="target/release/gst-attitude")
    parser.add_argument("--recordings", type=int, default=1000)
    parser.add_argument("--minutes", type=int, default=60)
    arguments = parser.parse_args()
    generator = random.Random(1)
    seconds = arguments.minutes * 60
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(FILES):
            write_records(folder / f"{number}.jsonl", seconds, generator)
        table = "participant,recording,condition,event,start\n"
        for number in range(arguments.recordings):
            recording = f"recording-{number}"
            results = folder / "results" / recording
            results.mkdir(parents=True)
            os.link(folder / f"{number % FILES}.jsonl", results / "records.jsonl")
            (results / "summary.json").write_text(json.dumps(summary(recording, seconds)))
            for start in range(60, seconds - 60, 600):
                table += f"p{number // 2},{recording},{'ab'[number // 2 % 2]},bell,{start}\n"
        (folder / "study.csv").write_text(table)
        options = ["-o", folder / "out", "--results", folder / "results"]
        began = time.monotonic()
        subprocess.run([arguments.program, "study", folder / "study.csv", *options], check=True)
        took = time.monotonic() - began
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{arguments.recordings} recordings of {arguments.minutes} min: {took:.1f} s, "
        f"{usage.ru_utime + usage.ru_stime:.1f} s of CPU, peak memory {usage.ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
