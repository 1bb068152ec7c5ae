# SPDX-License-Identifier: MPL-2.0
"""Lets sources come and go while a program analyzes them, and reports what it keeps."""

import argparse
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time

# Number of visitors at a time.
TOGETHER = 3
REPORT_EACH = 50
# Time after which the program has given back what a visitor needed.
SETTLE_S = 12
# Maximum time until a visitor is analyzed.
TIMEOUT_S = 30
RESIDENT = "resident"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("program")
    parser.add_argument("--visits", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("options", nargs="*")
    return parser.parse_args()


class Program:
    """A program, whose records are counted by source."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.counts = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            name = json.loads(line)["source"]
            self.counts[name] = self.counts.get(name, 0) + 1

    def wait_for(self, names):
        """Waits until there are records of all these sources."""
        deadline = time.monotonic() + TIMEOUT_S
        while not all(self.counts.get(name) for name in names):
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit(f"no records of {', '.join(names)}")
            time.sleep(0.02)

    def usage(self):
        """Returns the number of threads and of open files, and the memory in MB."""
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        files = len(list((folder / "fd").iterdir()))
        return int(status["Threads"]), files, int(status["VmRSS"].split()[0]) // 1000

    def settled(self):
        """Waits until the visitors that left are gone. Returns the usage."""
        time.sleep(SETTLE_S)
        return self.usage()

    def end(self):
        self.process.terminate()
        self.process.wait(20)


def run(program, limits, come, go):
    """Lets visitors come and go until a limit, beside the source `resident`, which is there already.

    `come` is called with the names of visitors, and returns what `go` is called with once all are analyzed. Exits with
    an error if there are more threads or files at the end than after the first visits, or the resident is no longer
    analyzed.
    """
    program.wait_for([RESIDENT])
    started = time.monotonic()
    visits, first = 0, None
    while visits < limits.visits and time.monotonic() < started + 60 * limits.minutes:
        names = [f"visitor-{visits + number}" for number in range(TOGETHER)]
        visitors = come(names)
        program.wait_for(names)
        go(visitors)
        visits += TOGETHER
        if visits % REPORT_EACH < TOGETHER:
            report(f"{visits} visits", program.usage())
            if not first:
                first = program.settled()
                report("settled", first)
    last = program.settled()
    report(f"settled after {visits} visits in {(time.monotonic() - started) / 60:.1f} minutes", last)
    before = program.counts[RESIDENT]
    time.sleep(1)
    if program.counts[RESIDENT] == before:
        sys.exit("the resident is no longer analyzed")
    if first and (last[0] > first[0] + 2 or last[1] > first[1] + 2):
        sys.exit("threads or files are left")


def report(what, usage):
    threads, files, megabytes = usage
    print(f"{what}: {threads} threads, {files} files, {megabytes} MB", flush=True)
