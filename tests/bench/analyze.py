#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Measures the cost of `gst-attitude analyze` on a long recording, compared with decoding alone.

    tests/bench/analyze.py [--minutes N] [--rounds N] [--output FOLDER]

Builds the program, creates a recording of 1280x720 in ~/.cache/gst-attitude/bench by repeating a clip of average faces,
and runs both programs alternately as whole processes. Prints a Markdown table and writes it to analyze.md.

    --minutes  duration of the recording (default: 10)
    --rounds   number of runs of each program (default: 3)
    --output   folder for the results (default: output/bench)

Speed and CPU time are those of the round with the median ratio. Memory is the resident size in the last round. Requires
what `pipelines/setup.sh --tests` installs.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "gst-attitude/bench"
# Duration of the clip that is repeated.
CLIP_S = 20
# Interval between measurements of the memory.
MEMORY_INTERVAL_S = 0.2


def recording(minutes, python):
    path = CACHE / f"1280x720-1-{minutes}min.mkv"
    if not path.exists():
        print(f"analyze: creating {path}", file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            part, whole = f"{folder}/part.mp4", f"{folder}/whole.mkv"
            maker = ROOT / "tests/bench/peers/clips.py"
            subprocess.run([python, maker, part, "1280", "720", "1", str(CLIP_S), "4"], check=True)
            parts = f" filesrc location={part} ! qtdemux ! h264parse ! parts." * (60 * minutes // CLIP_S)
            repeat = f"gst-launch-1.0 -q concat name=parts ! h264parse ! matroskamux ! filesink location={whole}{parts}"
            subprocess.run(repeat.split(), check=True)
            os.rename(whole, path)
    return path


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        lines = (line.split() for line in status)
        return next((int(words[1]) / 1024 for words in lines if words[0] == "VmRSS:"), 0.0)


def measure(command):
    """Runs a command. Returns wall and CPU time in seconds, and pairs of the elapsed share of time and resident MB."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    sizes = []
    ended = threading.Event()

    def sample_memory():
        while not ended.wait(MEMORY_INTERVAL_S):
            try:
                sizes.append((time.monotonic() - started, resident_mb(process.pid)))
            except (FileNotFoundError, ProcessLookupError):
                return

    sampler = threading.Thread(target=sample_memory)
    sampler.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - started
    ended.set()
    sampler.join()
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return wall_s, usage.ru_utime + usage.ru_stime, [(at / wall_s, mb) for at, mb in sizes if mb]


def resident_at(sizes, share):
    return min(sizes, key=lambda size: abs(size[0] - share))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output/bench")
    arguments = parser.parse_args()

    # recordings.py installs the packages that create the recording.
    python = CACHE / "requirements/bin/python"
    if not python.exists():
        sys.exit(f"no {python}; run tests/bench/recordings.py --quick once to create it")
    program = build.release("--bin=gst-attitude") / "gst-attitude"
    path = recording(arguments.minutes, python)

    decoding = ["gst-launch-1.0", "-q", *f"filesrc location={path} ! decodebin ! fakesink".split()]
    rounds = []
    for number in range(arguments.rounds):
        print(f"analyze: round {number + 1} of {arguments.rounds}", file=sys.stderr)
        alone = measure(decoding)
        with tempfile.TemporaryDirectory() as folder:
            rounds.append((alone, measure([program, "analyze", path, "-o", folder, "--quiet"])))
    ratios = [alone[0] / analyzed[0] for alone, analyzed in rounds]
    middle = ratios.index(statistics.median_low(ratios))
    alone, analyzed = rounds[middle]
    sizes = rounds[-1][1][2]
    early_mb, late_mb = resident_at(sizes, 0.1), resident_at(sizes, 0.98)
    hours = arguments.minutes / 60
    text = "\n".join(
        [
            f"| {arguments.minutes} min of 1280x720 | wall s | CPU s | CPU s per hour of video "
            "| resident MB at 10%, 98% |",
            "| --- | --: | --: | --: | --: |",
            f"| decodebin ! fakesink | {alone[0]:.1f} | {alone[1]:.1f} | {alone[1] / hours:.0f} | |",
            f"| gst-attitude analyze | {analyzed[0]:.1f} | {analyzed[1]:.1f} | {analyzed[1] / hours:.0f}"
            f" | {early_mb:.0f}, {late_mb:.0f} |",
            "",
            f"Relative to decoding alone: speed {ratios[middle]:.2f} ({min(ratios):.2f} to {max(ratios):.2f}),"
            f" CPU time {analyzed[1] / alone[1]:.2f}. Memory at 98% relative to 10%: {late_mb / early_mb:.3f}.",
        ]
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "analyze.md").write_text(text + "\n")
    print(text)


main()
