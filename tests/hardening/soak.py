#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Runs everything that can run for long at the same time, and measures whether its use of resources grows.

    tests/hardening/soak.py PROGRAM [--minutes N] [--csv FILE] [--svg FILE]

PROGRAM is the binary gst-attitude; the plugin is in the same folder. Three processes run until the time is over:

    streams   live streams with faceattitude, added and removed
    serve     `serve` with visitors, who leave, disappear, or send an answer that is cut off
    analyze   `analyze` of a folder with whole, cut and damaged recordings, again and again

In the last quarter of each minute, there is no stream and no visitor. Every ten seconds, the resident memory, threads
and open files of each process are appended to the CSV file, so a long time can be measured in pieces. At the end, all
pieces are plotted and checked: see soak_chart.py. Fails if something grows, a process ends or panics, or a run of
`analyze` has other failures than the first one.

Runs with Debian's Python; requires what `pipelines/setup.sh --tests` installs, and FFmpeg.
"""

import argparse
import csv
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import conformance
import soak_chart

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/program/serve"))

MAX_STREAMS, MAX_VISITORS = 2, 2
# Formats of the folder that `analyze` is run on.
FORMATS = ("mp4", "webm", "ts", "gif")


def is_busy() -> bool:
    return time.time() % 60 < 45


def run_streams(clip: Path, problems: multiprocessing.Queue) -> None:
    """Adds and removes live streams until the process is ended."""
    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    Gst.init(None)
    launch = (
        f"filesrc location={clip} ! matroskademux ! vp8dec ! identity sync=true ! faceattitude mode=live "
        "sample-interval=500000000 ! attitudeoverlay ! attitudeexport ! fakesink sync=false"
    )
    choice = random.Random(1)
    streams: list[Gst.Element] = []
    while True:
        limit = MAX_STREAMS if is_busy() else 0
        if len(streams) < limit and choice.random() < 0.5:
            streams.append(Gst.parse_launch(launch))
            streams[-1].set_state(Gst.State.PLAYING)
        elif streams and (limit == 0 or choice.random() < 0.3):
            stream = streams.pop(choice.randrange(len(streams)))
            message = stream.get_bus().pop_filtered(Gst.MessageType.ERROR)
            if message:
                problems.put(f"streams: {message.parse_error()}")
            stream.set_state(Gst.State.NULL)
        time.sleep(choice.uniform(0.5, 3) if limit else 0.2)


def visit(server: str, clip: Path, choice: random.Random) -> None:
    """Visits the server for some seconds."""
    import visitors

    visitor = visitors.Visitor(server, clip)
    kind = choice.choices(["leave", "disappear", "cut answer"], [8, 1, 1])[0]
    try:
        if kind == "cut answer":
            visitor.answer = visitor.answer[: choice.randrange(len(visitor.answer))]
            body = {"answer": visitor.answer}
            try:
                visitors.request(server, "POST", f"/sessions/{visitor.id}/answer", body)
            except urllib.error.HTTPError as error:
                if error.code != 400:
                    raise
            return
        visitor.connect()
        end = time.monotonic() + choice.uniform(3, 12)
        while time.monotonic() < end and is_busy():
            visitor.send({"alive": True})
            time.sleep(1)
    finally:
        if kind == "disappear":
            visitor.disappear()
        else:
            visitor.leave()


class Soak:
    """The processes, and what happened in them."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program, self.folder = program.resolve(), folder
        self.is_over = threading.Event()
        self.counts = {"visits": 0, "visits that failed": 0, "runs of analyze": 0}
        self.problems: list[str] = []
        self.clip = folder / "face.webm"
        self.log = folder / "serve.log"
        source = conformance.original(folder)
        conformance.ffmpeg("-stream_loop", 3, "-i", source, "-an", "-vf", "fps=10", "-c:v", "libvpx",
                           "-deadline", "realtime", "-cpu-used", 8, "-g", 30, self.clip)  # fmt: skip
        recordings = folder / "recordings"
        recordings.mkdir()
        for form in conformance.FORMATS:
            for variant in ("whole", "cut", "damaged") if form.name in FORMATS else ():
                conformance.make(source, form, variant, recordings / f"{variant}.{form.name}")
        (recordings / "text.mp4").write_text("no video")
        (recordings / "empty.mkv").write_bytes(b"")
        self.recordings = recordings
        self.queue: multiprocessing.Queue = multiprocessing.get_context("spawn").Queue()
        self.streams = multiprocessing.get_context("spawn").Process(
            target=run_streams, args=(self.clip, self.queue), daemon=True
        )
        self.analyze: subprocess.Popen | None = None
        self.serve: subprocess.Popen | None = None

    def start(self) -> None:
        # The folder of the program has libraries that are not plugins.
        plugins = self.folder / "plugins"
        plugins.mkdir()
        (plugins / "libgstattitude.so").symlink_to(self.program.with_name("libgstattitude.so"))
        os.environ["GST_PLUGIN_PATH"] = str(plugins)
        os.environ["GST_REGISTRY"] = str(self.folder / "registry.bin")
        self.streams.start()
        with self.log.open("w") as log:
            command = [self.program, "serve", "--listen=127.0.0.1:0", "--samples-per-second=2"]
            self.serve = subprocess.Popen(command, stderr=log)
        while "http://" not in self.log.read_text():
            if self.serve.poll() is not None:
                sys.exit(f"serve: {self.log.read_text()}")
            time.sleep(0.2)
        words = self.log.read_text().split()
        address = next(word for word in words if word.startswith("http://")).rstrip("/")
        for number in range(MAX_VISITORS):
            self.start_thread(lambda choice: self.come_and_go(address, choice), number)
        self.start_thread(lambda _: self.run_analyze(), MAX_VISITORS)

    def start_thread(self, step: Callable[[random.Random], None], seed: int) -> None:
        choice = random.Random(seed)

        def run() -> None:
            while not self.is_over.is_set():
                step(choice)

        threading.Thread(target=run, daemon=True).start()

    def come_and_go(self, address: str, choice: random.Random) -> None:
        if not is_busy():
            time.sleep(0.5)
            return
        self.counts["visits"] += 1
        try:
            visit(address, self.clip, choice)
        except Exception as error:  # On a busy machine, some connections take too long.
            self.counts["visits that failed"] += 1
            print(f"soak: visit: {error!r}", file=sys.stderr)
            time.sleep(2)

    def run_analyze(self) -> None:
        command = [self.program, "analyze", self.recordings, "-o", self.folder / "results"]
        command += ["--force", "--json", "--quiet", "--jobs=1"]
        self.analyze = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        output, _ = self.analyze.communicate()
        if self.is_over.is_set():
            return
        end = json.loads(output.splitlines()[-1]) if output else {}
        outcome = {name: end.get(name) for name in ("done", "damaged", "failed")}
        if self.counts["runs of analyze"] == 0:
            self.outcome = outcome
            print(f"soak: analyze: {outcome}", file=sys.stderr)
        if outcome != self.outcome or self.analyze.returncode != 1:
            self.problems.append(f"analyze: {outcome} after {self.outcome}, status {self.analyze.returncode}")
        self.counts["runs of analyze"] += 1

    def usage(self) -> Iterator[tuple[str, float, int, int]]:
        """Returns the name, resident MB, threads and open files of each process."""
        processes = {"streams": self.streams.pid, "serve": self.serve.pid}
        if self.analyze:
            processes["analyze"] = self.analyze.pid
        for name, number in processes.items():
            try:
                rows = [usage_of(one) for one in with_children(number)]
            except OSError:
                # A run of analyze has ended meanwhile.
                continue
            yield (name, *(sum(values) for values in zip(*rows)))

    def check(self) -> None:
        if self.streams.exitcode is not None or self.serve.poll() is not None:
            self.problems.append("a process ended")
            self.is_over.set()

    def stop(self) -> None:
        self.is_over.set()
        if self.streams.is_alive():
            self.streams.terminate()
        if self.analyze:
            self.analyze.terminate()
        if self.serve:
            self.serve.terminate()
            if self.serve.wait(20) != 0:
                self.problems.append(f"serve: exit status {self.serve.returncode}")
            if "panicked" in self.log.read_text():
                self.problems.append(f"serve: {self.log.read_text()}")
        while not self.queue.empty():
            self.problems.append(self.queue.get())


def with_children(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    # Threads other than the first one start workers, too.
    for task in Path(f"/proc/{process}/task").iterdir():
        children += (task / "children").read_text().split()
    return [process, *sorted({int(child) for child in children})]


def usage_of(process: int) -> tuple[float, int, int]:
    folder = Path(f"/proc/{process}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    if "VmRSS" not in status:
        raise ProcessLookupError(f"process {process} has ended")
    files = len(list((folder / "fd").iterdir()))
    return int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]), files


def measure(soak: Soak, minutes: float, piece: int, writer: Any, file: TextIO) -> None:
    """Writes a row per process in each interval, until the time is over or a process has ended."""
    started = next_at = time.monotonic()
    while time.monotonic() - started < 60 * minutes and not soak.is_over.is_set():
        next_at += soak_chart.INTERVAL_S
        time.sleep(max(0, next_at - time.monotonic()))
        for name, resident_mb, threads, files in soak.usage():
            seconds = round(time.monotonic() - started)
            writer.writerow([piece, seconds, name, round(resident_mb, 1), threads, files])
        file.flush()
        soak.check()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--csv", type=Path, default=ROOT / "output/soak.csv")
    parser.add_argument("--svg", type=Path, default=ROOT / "output/soak.svg")
    options = parser.parse_args()
    options.csv.parent.mkdir(parents=True, exist_ok=True)
    is_new = not options.csv.exists()
    earlier = [] if is_new else soak_chart.read(options.csv)
    piece = 1 + max((row.piece for row in earlier), default=0)

    import gi

    gi.require_version("Gst", "1.0")
    from gi.repository import Gst

    Gst.init(None)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, options.csv.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(soak_chart.Row._fields)
        soak = Soak(options.program, Path(folder))
        try:
            soak.start()
            measure(soak, options.minutes, piece, writer, file)
        finally:
            soak.stop()
    rows = soak_chart.read(options.csv)
    options.svg.write_text(soak_chart.svg(rows))
    print(", ".join(f"{count} {name}" for name, count in soak.counts.items()))
    problems = soak.problems + soak_chart.growth(rows)
    if problems:
        sys.exit("\n".join(problems[:20]))
    print("nothing grew")


if __name__ == "__main__":
    main()
