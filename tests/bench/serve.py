#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Measures the cost of visitors of `gst-attitude serve`, and checks that nothing is left when they have gone.

    tests/bench/serve.py [--visitors N] [--seconds N] [--come-and-go MINUTES] [--output FOLDER]

Builds the program and connects visitors without a browser, which send 640x360 at 15 frames per second and are sampled
twice per second. Prints a Markdown table and writes it to serve.md. Fails if a visitor was dropped, a session was left,
the server panicked, or the number of threads or open files has grown.

    --visitors     maximum number of simultaneous visitors (default: 8); one visitor is measured first
    --seconds      duration of each measurement (default: 30); the CPU time is that of the server
    --come-and-go  additional minutes in which visitors come and go: they leave, disappear without closing the session,
                   never answer, send invalid answers, or mute the analysis
    --output       folder for the results (default: output/bench)

Runs with Debian's Python; requires what `pipelines/setup.sh --tests` installs.
"""

import argparse
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/program/serve"))
from visitors import Gst, Visitor, make_clip, request  # noqa: E402

FRAMES_PER_SECOND = 15
SAMPLES_PER_SECOND = 2
CAPS = f"video/x-raw,format=I420,width=640,height=360,framerate={FRAMES_PER_SECOND}/1"
# Time until the server ends the session of a visitor that disappeared or does not answer.
ABANDONED_SESSION_S = 45
# Time until the server has freed a session that was closed.
CLOSED_SESSION_S = 3


class Server:
    """A running server, and its use of resources."""

    def __init__(self, program, log, max_sessions):
        command = [program, "serve", "--listen=127.0.0.1:0", f"--max-sessions={max_sessions}"]
        command.append(f"--samples-per-second={SAMPLES_PER_SECOND}")
        self.log = pathlib.Path(log)
        with open(log, "w") as output:
            self.process = subprocess.Popen(command, stderr=output)
        self.proc = pathlib.Path(f"/proc/{self.process.pid}")
        deadline = time.monotonic() + 30
        while "http://" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"serve: {self.log.read_text()}")
            time.sleep(0.1)
        self.address = next(word for word in self.log.read_text().split() if word.startswith("http://")).rstrip("/")

    def cpu_s(self):
        fields = (self.proc / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, name):
        lines = (self.proc / "status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(name)).split()[1])

    def usage(self):
        """Returns resident MB, the number of threads and the number of open files."""
        return self.status("VmRSS:") / 1024, self.status("Threads:"), len(list((self.proc / "fd").iterdir()))

    def metric(self, name):
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def keep_alive(visitors, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for visitor in visitors:
            visitor.send({"alive": True})
        time.sleep(min(2, max(0, end - time.monotonic())))


def measure(server, clip, count, seconds, problems):
    """Measures `count` simultaneous visitors. Returns a row of the table."""
    before_mb, *_ = server.usage()
    visitors = [Visitor(server.address, clip).connect() for _ in range(count)]
    keep_alive(visitors, 3)
    counted = [(visitor.samples, visitor.frames) for visitor in visitors]
    cpu_s, started = server.cpu_s(), time.monotonic()
    keep_alive(visitors, seconds)
    passed_s = time.monotonic() - started
    cpu_share = (server.cpu_s() - cpu_s) / passed_s
    mb, threads, _ = server.usage()
    samples = [(visitor.samples - then) / passed_s for visitor, (then, _) in zip(visitors, counted)]
    frames = [(visitor.frames - then) / passed_s for visitor, (_, then) in zip(visitors, counted)]
    dropped = [visitor.closing for visitor in visitors if visitor.closing]
    for visitor in visitors:
        visitor.leave()
    time.sleep(CLOSED_SESSION_S)
    after_mb, threads_after, files_after = server.usage()
    if dropped or min(frames) < 0.9 * FRAMES_PER_SECOND or min(samples) < 0.9 * SAMPLES_PER_SECOND:
        problems.append(f"some of {count} visitors were delayed or dropped: {frames} {samples} {dropped}")
    print(f"serve: {count} visitors: {cpu_share:.3f} cores, {mb:.0f} MB, {threads} threads", file=sys.stderr)
    return (
        f"| {count} | {cpu_share / count:.1%} | {mb - before_mb:.1f} | {(mb - before_mb) / count:.1f} | {threads} "
        f"| {min(frames):.1f} | {min(samples):.2f} | {after_mb:.0f} | {threads_after} | {files_after} |"
    )


class Guest:
    """Visits the server repeatedly, and behaves differently each time, until `over` is set."""

    def __init__(self, server, clip, seed, over):
        self.random = random.Random(seed)
        self.server, self.clip, self.over = server, clip, over
        self.visits = self.samples = self.refused = 0
        self.problems = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.over.is_set():
            try:
                self._visit()
            except urllib.error.HTTPError as error:
                if error.code != 503:
                    self.problems.append(f"{error.code}: {error.read().decode()}")
                self.refused += 1
                self.over.wait(1)
            except Exception as error:  # Reported at the end.
                self.problems.append(repr(error))
                self.over.wait(1)

    def _visit(self):
        behavior = self.random.choices(
            ["leave", "disappear", "mute", "no answer", "invalid answer", "truncated answer"], [8, 2, 2, 1, 1, 1]
        )[0]
        visitor = Visitor(self.server.address, self.clip)
        self.visits += 1
        try:
            if behavior == "invalid answer":
                visitor.answer = "v=0\r\nm=video nonsense\r\n" * self.random.randint(0, 3)
            elif behavior == "truncated answer":
                visitor.answer = visitor.answer[: self.random.randrange(len(visitor.answer))]
            if behavior in ("invalid answer", "truncated answer"):
                try:
                    request(self.server.address, "POST", f"/sessions/{visitor.id}/answer", {"answer": visitor.answer})
                except urllib.error.HTTPError as error:
                    if error.code != 400:
                        raise
            elif behavior != "no answer":
                visitor.connect()
                if behavior == "mute":
                    visitor.send({"analysis": False})
                keep_alive([visitor], self.random.uniform(1, 20))
                self.samples += visitor.samples
                if behavior == "leave" and not visitor.faces:
                    self.problems.append(f"no face in {visitor.samples} samples and {visitor.frames} frames")
        finally:
            if behavior in ("disappear", "no answer"):
                visitor.disappear()
            else:
                visitor.leave()


def come_and_go(server, clip, count, minutes, problems):
    """Lets guests come and go. Returns the numbers of visits and samples, and the resident MB per minute."""
    over = threading.Event()
    guests = [Guest(server, clip, seed, over) for seed in range(count)]
    started = time.monotonic()
    sizes_mb = []
    while time.monotonic() - started < 60 * minutes:
        time.sleep(min(60, 60 * minutes))
        mb, threads, files = server.usage()
        sizes_mb.append(mb)
        visits = sum(guest.visits for guest in guests)
        minutes_passed = (time.monotonic() - started) / 60
        progress = f"{minutes_passed:.0f} min: {visits} visits, {mb:.0f} MB, {threads} threads, {files} files"
        print(f"serve: {progress}", file=sys.stderr)
        if server.process.poll() is not None:
            sys.exit(f"serve: the server ended: {server.log.read_text()}")
    over.set()
    for guest in guests:
        guest.thread.join()
    time.sleep(ABANDONED_SESSION_S)
    problems += [problem for guest in guests for problem in guest.problems]
    visits, samples = (sum(getattr(guest, name) for guest in guests) for name in ("visits", "samples"))
    return visits, samples, sizes_mb


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--come-and-go", type=float, default=0, metavar="MINUTES")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output/bench")
    arguments = parser.parse_args()
    Gst.init(None)

    release = build.release("--workspace", "--bin=gst-attitude", "--example=average_faces")
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        faces, clip = f"{folder}/faces.mp4", f"{folder}/faces.webm"
        subprocess.run([release / "examples/average_faces", faces], check=True)
        make_clip(clip, faces, 10, CAPS)
        server = Server(release / "gst-attitude", arguments.output / "serve.log", arguments.visitors)
        problems = []
        measure(server, clip, arguments.visitors, 5, [])  # Warm-up: allocates what is allocated once.
        before = server.usage()
        text = [
            "| visitors | CPU per visitor, of a core | MB | MB per visitor | threads | min. frames/s |"
            " min. samples/s | MB after | threads after | files after |",
            "|---|---|---|---|---|---|---|---|---|---|",
            measure(server, clip, 1, arguments.seconds, problems),
            measure(server, clip, arguments.visitors, arguments.seconds, problems),
        ]
        if arguments.come_and_go:
            visits, samples, sizes_mb = come_and_go(server, clip, arguments.visitors, arguments.come_and_go, problems)
            text.append(f"\n{visits} visits in {arguments.come_and_go:g} min, {samples} samples")
            text.append(f"MB per minute: {' '.join(f'{mb:.0f}' for mb in sizes_mb)}")
        after = server.usage()
        text.append(
            "\nafter the warm-up, and at the end: "
            + " -> ".join("{:.0f} MB, {} threads, {} files".format(*usage) for usage in (before, after))
        )
        left = server.metric("gst_attitude_sessions")
        server.process.terminate()
        status = server.process.wait(15)
        print("\n".join(text))
        (arguments.output / "serve.md").write_text("\n".join(text) + "\n")
        grown = [name for name, was, now in zip(("threads", "files"), before[1:], after[1:]) if now > was]
        log = server.log.read_text()
        if status != 0 or left or grown or "panicked" in log or problems:
            details = "\n".join(problems[:20])
            sys.exit(
                f"serve: exit status {status}, {left:g} sessions left, grown: {grown}; see {server.log}\n{details}"
            )


if __name__ == "__main__":
    main()
