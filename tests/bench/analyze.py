#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""What `gst-attitude analyze` costs on a long recording, beside decoding it alone.

    tests/bench/analyze.py [--minutes N] [--rounds N] [--output FOLDER]

Builds the program, makes a recording of 1280x720 in ~/.cache/gst-attitude/bench by repeating one of average faces, and
runs both as whole processes, in turn. Prints a table in Markdown, leaves it as analyze.md in `output/bench/`.

    --minutes  how long the recording is (10)
    --rounds   how often both take their turn (3)
    --output   another folder for the results

Speed and CPU time are of the round in which the ratio is the median. Memory is what is resident, of the last round. Needs
what `pipelines/setup.sh --tests` installs.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "gst-attitude/bench"
# Of the part that is repeated.
SECONDS = 20
# Between two looks at the memory.
PAUSE_S = 0.2


def recording(minutes, python):
    path = CACHE / f"1280x720-1-{minutes}min.mkv"
    if not path.exists():
        print(f"analyze: making {path}", file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            part, whole = f"{folder}/part.mp4", f"{folder}/whole.mkv"
            maker = ROOT / "tests/bench/peers/clips.py"
            subprocess.run([python, maker, part, "1280", "720", "1", str(SECONDS), "4"], check=True)
            parts = f" filesrc location={part} ! qtdemux ! h264parse ! parts." * (60 * minutes // SECONDS)
            repeat = f"gst-launch-1.0 -q concat name=parts ! h264parse ! matroskamux ! filesink location={whole}{parts}"
            subprocess.run(repeat.split(), check=True)
            os.rename(whole, path)
    return path


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as status:
        lines = (line.split() for line in status)
        return next((int(words[1]) / 1024 for words in lines if words[0] == "VmRSS:"), 0.0)


def measure(command):
    """Wall time and CPU time in seconds, and (share of the time, resident MB) all along."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    looks = []
    over = threading.Event()

    def look():
        while not over.wait(PAUSE_S):
            try:
                looks.append((time.monotonic() - started, resident_mb(process.pid)))
            except (FileNotFoundError, ProcessLookupError):
                return

    looking = threading.Thread(target=look)
    looking.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.monotonic() - started
    over.set()
    looking.join()
    if process.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return wall_s, usage.ru_utime + usage.ru_stime, [(at / wall_s, mb) for at, mb in looks if mb]


def resident_at(looks, share):
    return min(looks, key=lambda look: abs(look[0] - share))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output/bench")
    arguments = parser.parse_args()

    # The packages that make the recording are those of recordings.py.
    python = CACHE / "requirements/bin/python"
    if not python.exists():
        sys.exit("run tests/bench/recordings.py --quick once: it sets up what makes the recording")
    subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "--bin", "gst-attitude"], cwd=ROOT, check=True)
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    found = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)
    program = f"{found['target_directory']}/release/gst-attitude"
    path = recording(arguments.minutes, python)

    decoding = ["gst-launch-1.0", "-q", *f"filesrc location={path} ! decodebin ! fakesink".split()]
    rounds = []
    for number in range(arguments.rounds):
        print(f"analyze: round {number + 1} of {arguments.rounds}", file=sys.stderr)
        alone = measure(decoding)
        with tempfile.TemporaryDirectory() as folder:
            rounds.append((alone, measure([program, "analyze", path, "-o", folder, "--quiet"])))
    ratios = [alone[0] / analysed[0] for alone, analysed in rounds]
    middle = ratios.index(statistics.median_low(ratios))
    alone, analysed = rounds[middle]
    looks = rounds[-1][1][2]
    early_mb, late_mb = resident_at(looks, 0.1), resident_at(looks, 0.98)
    hours = arguments.minutes / 60
    text = "\n".join(
        [
            f"| {arguments.minutes} min of 1280x720 | wall s | CPU s | CPU s an hour of video | resident MB at 10%, 98% |",
            "| --- | --: | --: | --: | --: |",
            f"| decodebin ! fakesink | {alone[0]:.1f} | {alone[1]:.1f} | {alone[1] / hours:.0f} | |",
            f"| gst-attitude analyze | {analysed[0]:.1f} | {analysed[1]:.1f} | {analysed[1] / hours:.0f}"
            f" | {early_mb:.0f}, {late_mb:.0f} |",
            "",
            f"Speed {ratios[middle]:.2f} of decoding alone ({min(ratios):.2f} to {max(ratios):.2f}),"
            f" CPU {analysed[1] / alone[1]:.2f}, memory {late_mb / early_mb:.3f}.",
        ]
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "analyze.md").write_text(text + "\n")
    print(text)


main()
