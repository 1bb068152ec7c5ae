#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""What visitors of `gst-attitude serve` cost, and whether anything is left when they have gone.

    tests/bench/serve.py [--visitors N] [--seconds N] [--come-and-go MINUTES] [--output FOLDER]

Builds the program and has visitors without a browser send it 640x360 at 15 frames a second, two samples a second each:
first one and then N (8) at once, for so many SECONDS (30); CPU is the server's alone. With --come-and-go, then for so
many MINUTES up to N at a time come and go: they stay for seconds, leave, vanish without a word, never answer, answer
nonsense, mute the analysis. Prints a table in Markdown, leaves it as serve.md in `output/bench/`, and fails where a
visitor was dropped, a session was left, the server panicked, or threads or open files have grown.

Debian's Python with python3-gi and gir1.2-gst-plugins-bad-1.0, as `pipelines/setup.sh --tests` installs them.
"""

import argparse
import json
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

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/program/serve"))
from visitors import Gst, Visitor, ask, make_clip  # noqa: E402

FRAMES_PER_SECOND = 15
SAMPLES_PER_SECOND = 2
CAPS = f"video/x-raw,format=I420,width=640,height=360,framerate={FRAMES_PER_SECOND}/1"
# Until the server has noticed that a visitor has vanished, or will not answer.
FORGETTING_S = 45
# Until a visitor who left is gone.
PARTING_S = 3


class Server:
    """The program, and what it takes."""

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

    def look(self):
        """Resident MB, threads, open files."""
        return self.status("VmRSS:") / 1024, self.status("Threads:"), len(list((self.proc / "fd").iterdir()))

    def metric(self, name):
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=10) as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def keep_alive(visitors, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for visitor in visitors:
            visitor.say({"alive": True})
        time.sleep(min(2, max(0, end - time.monotonic())))


def at_once(server, clip, count, seconds, problems):
    """A row of the table: so many visitors that stay."""
    before_mb, *_ = server.look()
    visitors = [Visitor(server.address, clip).connect() for _ in range(count)]
    keep_alive(visitors, 3)
    counted = [(visitor.samples, visitor.frames) for visitor in visitors]
    cpu_s, started = server.cpu_s(), time.monotonic()
    keep_alive(visitors, seconds)
    passed_s = time.monotonic() - started
    cpu_share = (server.cpu_s() - cpu_s) / passed_s
    mb, threads, files = server.look()
    samples = [(visitor.samples - then) / passed_s for visitor, (then, _) in zip(visitors, counted)]
    frames = [(visitor.frames - then) / passed_s for visitor, (_, then) in zip(visitors, counted)]
    dropped = [visitor.closing for visitor in visitors if visitor.closing]
    for visitor in visitors:
        visitor.leave()
    time.sleep(PARTING_S)
    after_mb, threads_after, files_after = server.look()
    if dropped or min(frames) < 0.9 * FRAMES_PER_SECOND or min(samples) < 0.9 * SAMPLES_PER_SECOND:
        problems.append(f"of {count} visitors some were held up or dropped: {frames} {samples} {dropped}")
    print(f"serve: {count} at once: {cpu_share:.3f} cores, {mb:.0f} MB, {threads} threads", file=sys.stderr)
    return (
        f"| {count} | {cpu_share / count:.1%} | {mb - before_mb:.1f} | {(mb - before_mb) / count:.1f} | {threads} | {min(frames):.1f} "
        f"| {min(samples):.2f} | {after_mb:.0f} | {threads_after} | {files_after} |"
    )


class Passer:
    """Comes, does one thing, and goes, again and again until it is told to stop."""

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
            except Exception as error:  # noqa: BLE001 (it is told of at the end)
                self.problems.append(repr(error))
                self.over.wait(1)

    def _visit(self):
        manner = self.random.choices(
            ["leave", "vanish", "mute", "no answer", "nonsense", "half an answer"], [8, 2, 2, 1, 1, 1]
        )[0]
        visitor = Visitor(self.server.address, self.clip)
        self.visits += 1
        try:
            if manner == "nonsense":
                visitor.answer = "v=0\r\nm=video nonsense\r\n" * self.random.randint(0, 3)
            elif manner == "half an answer":
                visitor.answer = visitor.answer[: self.random.randrange(len(visitor.answer))]
            if manner in ("nonsense", "half an answer"):
                try:
                    ask(self.server.address, "POST", f"/sessions/{visitor.id}/answer", {"answer": visitor.answer})
                except urllib.error.HTTPError as error:
                    if error.code != 400:
                        raise
            elif manner != "no answer":
                visitor.connect()
                if manner == "mute":
                    visitor.say({"analysis": False})
                keep_alive([visitor], self.random.uniform(1, 20))
                self.samples += visitor.samples
                if manner == "leave" and not visitor.faces:
                    self.problems.append(f"no face in {visitor.samples} samples and {visitor.frames} frames")
        finally:
            if manner in ("vanish", "no answer"):
                visitor.vanish()
            else:
                visitor.leave()


def come_and_go(server, clip, count, minutes, problems):
    """Visitors for so many minutes; what has grown since the first ones had gone is told of."""
    over = threading.Event()
    passers = [Passer(server, clip, seed, over) for seed in range(count)]
    started = time.monotonic()
    looks = []
    while time.monotonic() - started < 60 * minutes:
        time.sleep(min(60, 60 * minutes))
        mb, threads, files = server.look()
        looks.append(mb)
        visits = sum(passer.visits for passer in passers)
        told = f"{(time.monotonic() - started) / 60:.0f} min: {visits} visits, {mb:.0f} MB, {threads} threads, {files} files"
        print(f"serve: {told}", file=sys.stderr)
        if server.process.poll() is not None:
            sys.exit(f"serve: the server has ended: {server.log.read_text()}")
    over.set()
    for passer in passers:
        passer.thread.join()
    time.sleep(FORGETTING_S)
    problems += [problem for passer in passers for problem in passer.problems]
    visits, samples = (sum(getattr(passer, name) for passer in passers) for name in ("visits", "samples"))
    return visits, samples, looks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--come-and-go", type=float, default=0, metavar="MINUTES")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output/bench")
    arguments = parser.parse_args()
    Gst.init(None)

    build = ["cargo", "build", "--quiet", "--release", "--locked", "--workspace", "--bin=gst-attitude", "--example=average_faces"]
    subprocess.run(build, cwd=ROOT, check=True)
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    found = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)
    release = pathlib.Path(found["target_directory"]) / "release"
    arguments.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        faces, clip = f"{folder}/faces.mp4", f"{folder}/faces.webm"
        subprocess.run([release / "examples/average_faces", faces], check=True)
        make_clip(clip, faces, 10, CAPS)
        server = Server(release / "gst-attitude", arguments.output / "serve.log", arguments.visitors)
        problems = []
        at_once(server, clip, arguments.visitors, 5, [])  # What is made once is made.
        before = server.look()
        text = [
            "| visitors | CPU each, of a core | MB | each | threads | least frames/s | least samples/s | MB after | threads after | files after |",
            "|---|---|---|---|---|---|---|---|---|---|",
            at_once(server, clip, 1, arguments.seconds, problems),
            at_once(server, clip, arguments.visitors, arguments.seconds, problems),
        ]
        if arguments.come_and_go:
            visits, samples, looks = come_and_go(server, clip, arguments.visitors, arguments.come_and_go, problems)
            text.append(f"\n{visits} visits in {arguments.come_and_go:g} min, {samples} samples")
            text.append(f"MB each minute: {' '.join(f'{mb:.0f}' for mb in looks)}")
        after = server.look()
        text.append("\nafter a first round, and in the end: " + " -> ".join("{:.0f} MB, {} threads, {} files".format(*look) for look in (before, after)))
        left = server.metric("gst_attitude_sessions")
        server.process.terminate()
        status = server.process.wait(15)
        print("\n".join(text))
        (arguments.output / "serve.md").write_text("\n".join(text) + "\n")
        grown = [name for name, was, now in zip(("threads", "files"), before[1:], after[1:]) if now > was]
        log = server.log.read_text()
        if status != 0 or left or grown or "panicked" in log or problems:
            told = "\n".join(problems[:20])
            sys.exit(f"serve: exit status {status}, {left:g} sessions left, grown: {grown}; see {server.log}\n{told}")


if __name__ == "__main__":
    main()
