#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Measures the cost of faceattitude on recordings, compared with decoding alone and with other face detectors.

    tests/bench/recordings.py [--quick] [--rounds N] [--yunet FILE] [--output FOLDER]

Builds the plugin, installs what the other programs need into ~/.cache/gst-attitude/bench (2 GB, mostly for the package
fer) unless it is there, creates the recordings, and runs all programs alternately as whole processes for several
rounds. Prints Markdown tables and writes them to recordings.md, and the cost per sample to recordings.json and the
chart recordings.svg.

    --quick    tests whether everything runs, in a minute: one round on two seconds of recording, without fer
    --rounds   number of rounds (default: 5)
    --yunet    face detector of the Python programs: yunet_n_dynamic.onnx of libfacedetection.train
    --output   folder for the results (default: output)

Times of whole programs are the minimum of all rounds, because other load on the machine can only increase them. The
cost per sample is small compared with that: it is the median over the rounds of the difference between a run and the
preceding run that samples only the first frame, given with the minimum and the maximum. If these are far apart, the
machine was too busy. Requires what `pipelines/setup.sh --tests` installs, and the Debian package python3-venv.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT / "tests/bench/peers"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "gst-attitude/bench"

FRAMES_PER_SECOND = 30
SECONDS = 30
# Width, height and Mbit/s of the recordings.
SIZES = {"1280x720": (1280, 720, 4), "1920x1080": (1920, 1080, 8)}
FACES = {"one face": 1, "four faces": 4}

# Sampled frames. Sampling only the first frame measures the cost of starting and decoding.
FIRST_FRAME, FIVE_PER_SECOND, EVERY_FRAME = "first frame only", "5 samples/s", "every frame"
INTERVALS_MS = {FIRST_FRAME: 3_600_000, FIVE_PER_SECOND: 200, EVERY_FRAME: 0}

# The cost of slow programs is measured precisely enough in a few rounds, and without sampling every frame.
MAX_SLOW_ROUNDS = 2


def say(text):
    print(f"recordings: {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Program:
    """A program that finds the faces in a file at an interval, as a user would write it."""

    name: str
    file: str
    finds: str
    python: str | None = None
    arguments: tuple = ()
    is_slow: bool = False

    def command(self, recording, interval_ms):
        interpreter = [self.python] if self.python else []
        return [*interpreter, PEERS / self.file, recording, str(interval_ms), *self.arguments]

    def lines(self):
        """Returns the number of lines without blank lines, comments and the docstring."""
        text = re.sub(r'^""".*?"""$', "", (PEERS / self.file).read_text(), flags=re.DOTALL | re.MULTILINE)
        return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


@dataclasses.dataclass
class Cost:
    """Cost of one run, or the minimum of several runs."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    faces: int


def measure(command, cores):
    """Runs a command on these cores. Returns its cost."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=errors,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),  # noqa: PLW1509 (there are no threads)
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{errors.read().decode(errors='replace')}")
        # Boxes in JSON, or faces in messages of facedetect.
        faces = len(re.findall(rb'"box"|face\\,\\ x', output.read()))
    return Cost(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, faces)


def measure_all(jobs, rounds):
    """Returns the costs per round of each job; `jobs` maps names to a command, its cores and its number of rounds."""
    costs = {}
    for number in range(rounds):
        due = [(name, *job) for name, job in jobs.items() if number < job[2]]
        for index, (name, command, cores, _) in enumerate(due):
            say(f"round {number + 1} of {rounds}, {index + 1} of {len(due)}: {', '.join(map(str, name))}")
            costs.setdefault(name, []).append(measure(command, cores))
    return costs


def minimum(costs):
    return Cost(*(min(values) for values in zip(*map(dataclasses.astuple, costs))))


def environment(requirements):
    """Installs packages into an environment unless it is up to date. Returns its Python."""
    folder = CACHE / requirements.stem
    listed = folder / "installed.txt"
    if not listed.exists() or listed.read_text() != requirements.read_text():
        say(f"{requirements.name}: installing into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        # Without dependencies: the lists are complete, and fer depends on gigabytes that it does not use.
        pip = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements]
        subprocess.run(pip, check=True)
        listed.write_text(requirements.read_text())
    return str(folder / "bin/python")


def has_element(name):
    inspection = ["gst-inspect-1.0", name]
    return subprocess.run(inspection, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def recording(python, size, faces, seconds):
    width, height, mbit_per_second = SIZES[size]
    path = CACHE / f"{size}-{faces}-{seconds}s.mp4"
    if not path.exists():
        say(f"recording: creating {path}")
        unfinished = path.with_suffix(".part")
        numbers = map(str, (width, height, faces, seconds, mbit_per_second))
        subprocess.run([python, PEERS / "clips.py", unfinished, *numbers], check=True)
        unfinished.rename(path)
    return path


def programs(python, yunet, is_quick):
    """Yields the programs that can run on this machine, with the plugin first."""
    # The model that faceattitude uses on a CPU.
    classifier = ROOT / "models/attitude-int8.onnx"
    yield Program("faceattitude", "faceattitude.sh", "attitude, tracked")
    if yunet.exists():
        arguments = (yunet, classifier)
        finds = "attitude, same classifier"
        yield Program("OpenCV, YuNet on ONNX Runtime", "onnxruntime_yunet.py", finds, python, arguments)
        yield Program("OpenCV, its FaceDetectorYN", "opencv_yunet.py", finds, python, arguments)
    else:
        say(f"skipped: OpenCV with YuNet; no file {yunet}, see --yunet")
    if has_element("facedetect"):
        yield Program("GStreamer's facedetect", "facedetect.sh", "faces only", is_slow=True)
    else:
        say("skipped: facedetect; install gstreamer1.0-opencv")
    if is_quick:
        say("skipped: fer, because of --quick")
        return
    try:
        python = environment(PEERS / "requirements-fer.txt")
    except subprocess.CalledProcessError as error:
        say(f"skipped: fer; installation failed: {error}")
        return
    yield Program("PyPI's fer", "fer_package.py", "emotions", python, is_slow=True)


def table(*rows):
    """Formats rows as Markdown; the first column is text, the others are numbers."""
    head, *body = rows
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def pipeline(recording, *elements):
    return ["gst-launch-1.0", "-q", "filesrc", f"location={recording}", "!", "decodebin", "!", *elements, "fakesink"]


def file_jobs(recordings, cores, rounds):
    # The queue lets decoding continue during the analysis.
    element = ["queue", "!", "faceattitude", "mode=sync"]
    kinds = {
        "decoding alone": [],
        f"faceattitude, {FIVE_PER_SECOND}": [*element, "!"],
        f"faceattitude, {EVERY_FRAME}": [*element, "sample-interval=0", "!"],
    }
    return {
        ("file", size, faces, kind): (pipeline(path, *elements), cores, rounds)
        for (size, faces), path in recordings.items()
        for kind, elements in kinds.items()
    }


def file_table(costs, frames):
    rows = [("", "wall s", "frames/s", "CPU s", "speed vs decoding", "CPU time vs decoding", "peak MB")]
    for (section, size, faces, kind), round_costs in costs.items():
        if section != "file":
            continue
        cost, alone = minimum(round_costs), minimum(costs[section, size, faces, "decoding alone"])
        rows.append(
            (
                f"{size}, {faces}: {kind}",
                f"{cost.wall_s:.2f}",
                f"{frames / cost.wall_s:.0f}",
                f"{cost.cpu_s:.2f}",
                f"{alone.wall_s / cost.wall_s:.2f}",
                f"{cost.cpu_s / alone.cpu_s:.2f}",
                f"{cost.peak_mb:.0f}",
            )
        )
    return table(*rows)


def peer_jobs(recordings, all_programs, cores, rounds):
    jobs = {}
    for (_, faces), path in recordings.items():
        for program in all_programs:
            for sampled, interval_ms in INTERVALS_MS.items():
                if not (program.is_slow and sampled == EVERY_FRAME):
                    job_rounds = min(rounds, MAX_SLOW_ROUNDS) if program.is_slow else rounds
                    job = (program.command(path, interval_ms), cores, job_rounds)
                    jobs["peer", faces, program.name, sampled] = job
    return jobs


def added_ms(costs, faces, name, sampled, samples):
    """Returns the median, minimum and maximum over the rounds of the CPU time per sample in addition to decoding."""
    pairs = zip(costs["peer", faces, name, FIRST_FRAME], costs["peer", faces, name, sampled])
    added = [1000 * (run.cpu_s - first.cpu_s) / (samples - 1) for first, run in pairs]
    return statistics.median(added), min(added), max(added)


def peer_rows(costs, all_programs, frames):
    """Returns the figures of each program for the tables and the chart, per number of faces."""
    samples = frames * 1000 // (FRAMES_PER_SECOND * INTERVALS_MS[FIVE_PER_SECOND])
    rows = []
    for faces in FACES:
        for program in all_programs:
            sampled = minimum(costs["peer", faces, program.name, FIVE_PER_SECOND])
            median_ms, min_ms, max_ms = added_ms(costs, faces, program.name, FIVE_PER_SECOND, samples)
            row = {
                "faces": faces,
                "program": program.name,
                "finds": program.finds,
                "sample_ms": median_ms,
                "sample_ms_range": [min_ms, max_ms],
                "found": sampled.faces / samples,
                "first_s": minimum(costs["peer", faces, program.name, FIRST_FRAME]).cpu_s,
                "frame_ms": 1000 * sampled.cpu_s / frames,
                "frames_per_s": frames / sampled.wall_s,
                "peak_mb": sampled.peak_mb,
                "lines": program.lines(),
            }
            if every := costs.get(("peer", faces, program.name, EVERY_FRAME)):
                row["every_sample_ms"] = added_ms(costs, faces, program.name, EVERY_FRAME, frames)[0]
                row["every_frames_per_s"] = frames / minimum(every).wall_s
            rows.append(row)
    return rows


def peer_table(rows, faces):
    rows = [row for row in rows if row["faces"] == faces]
    ours = rows[0]["sample_ms"]

    def optional(row, name, digits):
        return f"{row[name]:.{digits}f}" if name in row else ""

    return table(
        (
            faces,
            "finds",
            "CPU ms per sample, without decoding",
            "faceattitude relative to that",
            "CPU ms per sample, every frame sampled",
            "frames/s, 5 samples/s",
            "frames/s, every frame sampled",
            "CPU ms per frame, in total",
            "CPU s to start and decode",
            "peak MB",
            "faces per sample",
            "lines",
        ),
        *(
            (
                row["program"],
                row["finds"],
                "{:.2f} ({:.2f} to {:.2f})".format(row["sample_ms"], *row["sample_ms_range"]),
                f"{ours / row['sample_ms']:.2f}",
                optional(row, "every_sample_ms", 2),
                f"{row['frames_per_s']:.0f}",
                optional(row, "every_frames_per_s", 0),
                f"{row['frame_ms']:.2f}",
                f"{row['first_s']:.2f}",
                f"{row['peak_mb']:.0f}",
                f"{row['found']:.1f}",
                row["lines"],
            )
            for row in rows
        ),
    )


def processor():
    names = re.findall(r"^model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return names[0] if names else platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--yunet", type=pathlib.Path, default=ROOT.parent / "shared/reference/yunet_n_dynamic.onnx")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output")
    arguments = parser.parse_args()
    rounds, seconds = (1, 2) if arguments.quick else (arguments.rounds, SECONDS)
    sizes = list(SIZES)[:1] if arguments.quick else SIZES

    CACHE.mkdir(parents=True, exist_ok=True)
    say("plugin: building")
    os.environ["GST_PLUGIN_PATH"] = str(build.release("--package=gst-plugin-attitude"))
    # A separate registry, so that plugins are scanned here and not in the first program that is measured.
    os.environ["GST_REGISTRY"] = str(CACHE / "registry.bin")
    if not has_element("faceattitude"):
        sys.exit("GStreamer does not load the plugin; see gst-inspect-1.0 faceattitude")
    python = environment(PEERS / "requirements.txt")
    all_programs = list(programs(python, arguments.yunet.resolve(), arguments.quick))
    recordings = {
        (size, faces): recording(python, size, number, seconds) for size in sizes for faces, number in FACES.items()
    }

    cores = os.sched_getaffinity(0)
    peer_size = next(iter(SIZES))
    peer_recordings = {key: path for key, path in recordings.items() if key[0] == peer_size}
    jobs = file_jobs(recordings, cores, rounds) | peer_jobs(peer_recordings, all_programs, {max(cores)}, rounds)
    load_before = os.getloadavg()[0]
    costs = measure_all(jobs, rounds)

    frames = seconds * FRAMES_PER_SECOND
    rows = peer_rows(costs, all_programs, frames)
    date = datetime.date.today()
    texts = [
        f"{date}, {processor()}, {len(cores)} cores, load {load_before:.1f} before and {os.getloadavg()[0]:.1f} after,"
        f" {rounds} rounds, {frames} frames of H.264 at {FRAMES_PER_SECOND} frames/s",
        f"Files, on all cores, with `decodebin`:\n\n{file_table(costs, frames)}",
        f"Programs, on one core, {peer_size}:",
        *(peer_table(rows, faces) for faces in FACES),
    ]
    text = "\n\n".join(texts) + "\n"
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "recordings.md").write_text(text)
    results = arguments.output / "recordings.json"
    results.write_text(json.dumps(rows, indent=1))
    picture = arguments.output / "recordings.svg"
    subprocess.run([python, PEERS / "picture.py", results, picture], check=True)
    print(text)
    say(f"wrote results to {arguments.output}")


main()
