#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Measures what faceattitude adds to the start and to the memory of gst-launch-1.0, compared with identity.

    tests/bench/startup.py CLIP [--rounds N] [--compare FOLDER] [--output FOLDER]

Builds the plugin and runs `filesrc ! decodebin ! ELEMENT` on the clip alternately with both elements, as whole
processes: until the first frame with its result leaves the element, and to the end of the clip with five samples per
second. Prints a Markdown table with medians of the differences within a round, and writes it to startup.md. Below are
the costs of loading ONNX Runtime and creating its environment, which no program with it can avoid.

    --rounds   number of runs of each pipeline (default: 15)
    --compare  also measures another build of the plugin, in this folder
    --runtime  ONNX Runtime whose start is measured (default: the one that setup.sh installs)
    --output   folder for the results (default: output/bench)

Runs with the highest priority of ordinary processes if the user may, so that others on the machine disturb less. All
files are read once before, so that they are in the page cache.
"""

import argparse
import ctypes
import dataclasses
import itertools
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import build

RUNTIME = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share") / (
    "gst-attitude/onnxruntime/libonnxruntime.so"
)
IDENTITY = "identity"
# Ends the stream with the second frame. The first one is written to the pipe.
UNTIL_FIRST_FRAME = ["!", "identity", "eos-after=2", "!", "fdsink", "sync=false"]
TO_THE_END = ["!", "fakesink", "sync=false"]
# Fields of /proc/PID/status.
MEMORY = ("RssAnon:", "RssFile:")


@dataclasses.dataclass
class Cost:
    """Cost of one process, until its first output and in total."""

    first_ms: float
    first_cpu_ms: float
    # Resident memory at the first output that no other process can share, and pages of files.
    first_anonymous_mb: float
    first_file_mb: float
    cpu_ms: float
    peak_mb: float

    def __sub__(self, other):
        return Cost(*(a - b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other))))


def raise_priority():
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    except PermissionError:
        print("startup: no permission for a higher priority; other load disturbs", file=sys.stderr)


def cpu_ms(pid):
    # The clock of the CPU time of another process, as clock_getcpuclockid(3) numbers it.
    return 1000 * time.clock_gettime((~pid << 3) | 2)


def resident_mb(pid, kind):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(kind))


def run(clip, element, ending, environment):
    """Runs a pipeline to its end. Returns its cost."""
    command = ["gst-launch-1.0", "-q", "filesrc", f"location={clip}", "!", "decodebin", "!", element, *ending]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | environment)
    output = process.stdout.read(1)
    first = (1000 * (time.monotonic() - started),)
    # The process waits until its output is read, or has ended.
    first += (cpu_ms(process.pid), *(resident_mb(process.pid, kind) for kind in MEMORY)) if output else (0, 0, 0)
    while process.stdout.read(1 << 20):
        pass
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0 or (ending == UNTIL_FIRST_FRAME and not output):
        sys.exit(f"{' '.join(command)} failed")
    return Cost(*first, 1000 * (usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024)


def runtime_start(library):
    """Loads ONNX Runtime and creates its environment. Returns CPU milliseconds and resident MB of both steps."""
    # Telemetry takes time of its own.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    marks = []

    def mark():
        marks.append((1000 * time.process_time(), sum(resident_mb(os.getpid(), kind) for kind in MEMORY)))

    mark()
    base = ctypes.CDLL(str(library)).OrtGetApiBase
    mark()
    base.restype = ctypes.POINTER(ctypes.CFUNCTYPE(ctypes.POINTER(ctypes.c_void_p), ctypes.c_uint32))
    # Version 17 of the table of functions, whose fourth one is CreateEnv.
    create_env = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(base()[0](17)[3])
    environment = ctypes.c_void_p()
    if create_env(3, b"startup", ctypes.byref(environment)):
        sys.exit(f"{library} creates no environment")
    mark()
    return [(later[0] - earlier[0], later[1] - earlier[1]) for earlier, later in itertools.pairwise(marks)]


def runtime_table(library, rounds):
    # Each in a new process, which has not loaded the library yet.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        starts = [pool.apply(runtime_start, (library,)) for _ in range(rounds)]
    rows = ["| ONNX Runtime | CPU ms | resident MB |", "| --- | --: | --: |"]
    for name, step in zip(("loading", "environment"), zip(*starts)):
        cpu, memory = (statistics.median(values) for values in zip(*step))
        rows.append(f"| {name} | {cpu:.1f} | {memory:.1f} |")
    return "\n".join(rows)


def median(costs):
    return Cost(*(statistics.median(values) for values in zip(*map(dataclasses.astuple, costs))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--compare", type=pathlib.Path)
    parser.add_argument("--runtime", type=pathlib.Path, default=RUNTIME)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("output/bench"))
    arguments = parser.parse_args()

    plugins = {"faceattitude": build.release("--package=gst-plugin-attitude")}
    if arguments.compare:
        plugins[f"faceattitude of {arguments.compare}"] = arguments.compare.resolve()
    with tempfile.TemporaryDirectory() as folder:
        environments = {
            # Each with a registry of its own, which is written before the measurement.
            name: {"GST_PLUGIN_PATH": str(plugin), "GST_REGISTRY": f"{folder}/{number}.bin"}
            for number, (name, plugin) in enumerate(plugins.items())
        }
        jobs = {IDENTITY: (IDENTITY, environments["faceattitude"])}
        jobs |= {name: ("faceattitude", environment) for name, environment in environments.items()}
        raise_priority()
        endings = {"first": UNTIL_FIRST_FRAME, "whole": TO_THE_END}
        costs = {(name, kind): [] for name in jobs for kind in endings}
        for number in range(arguments.rounds + 1):
            print(f"startup: round {number} of {arguments.rounds}", file=sys.stderr)
            for name, (element, environment) in jobs.items():
                for kind, ending in endings.items():
                    cost = run(arguments.clip, element, ending, environment)
                    # Round 0 fills the page cache and writes the registries.
                    if number > 0:
                        costs[name, kind].append(cost)

    rows = []
    for name in jobs:
        alone = {kind: costs[IDENTITY, kind] if name != IDENTITY else None for kind in endings}
        first, whole = (
            median([a - b for a, b in zip(costs[name, kind], alone[kind])] if alone[kind] else costs[name, kind])
            for kind in endings
        )
        ratios = [a.cpu_ms / b.cpu_ms for a, b in zip(costs[name, "whole"], costs[IDENTITY, "whole"])]
        label = name if name == IDENTITY else f"{name}, in addition"
        rows.append(
            f"| {label} | {first.first_ms:.0f} | {first.first_cpu_ms:.0f} | {first.cpu_ms:.0f} "
            f"| {first.first_anonymous_mb:.1f}, {first.first_file_mb:.1f} | {whole.peak_mb:.1f} "
            f"| {statistics.median(ratios):.2f} |"
        )
    text = "\n".join(
        [
            "| element | first result, ms | CPU ms to it | CPU ms of the process "
            "| anonymous, file MB at it | peak MB, whole clip | CPU, whole clip, relative |",
            "| --- | --: | --: | --: | --: | --: | --: |",
            *rows,
            "",
            runtime_table(arguments.runtime, arguments.rounds),
        ]
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "startup.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
