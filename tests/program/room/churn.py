#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Lets participants join and leave a room while `gst-attitude room` analyzes it, and reports what it keeps.

    churn.py [--joins N] [--minutes MINUTES] PROGRAM [-- OPTION...]

Starts a Janus server of its own. One participant stays. The others join, are analyzed, and leave, three at a time.
Prints threads, open files and memory of the program every 50 joins. Exits with an error if there are more threads or
files at the end than after the first 50 joins.
"""

import argparse
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import participant
from participant import Gst, Janus, publish

ROOM = 42
TOGETHER = 3
REPORT_EACH = 50
SOURCE = "videotestsrc is-live=true pattern=white ! video/x-raw,width=160,height=120,framerate=10/1"
# Time after which the program has given back what a participant needed.
SETTLE_S = 12


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_janus(folder):
    """Starts a server. Returns the process and the ports of its transports."""
    websocket, http = free_port(), free_port()
    for name, text in {
        "janus": f'general: {{ configs_folder = "{folder}"; debug_level = 2 }}',
        "janus.transport.websockets": f'general: {{ ws = true; ws_port = {websocket}; ws_ip = "127.0.0.1" }}',
        "janus.transport.http": f'general: {{ http = true; port = {http}; ip = "127.0.0.1"; base_path = "/janus" }}',
        "janus.plugin.videoroom": f'room-{ROOM}: {{ publishers = 20; fir_freq = 10; videocodec = "vp8,h264" }}',
    }.items():
        (folder / f"{name}.jcfg").write_text(text + "\n")
    janus = subprocess.Popen(["janus", "-F", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    for port in (websocket, http):
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
    return janus, websocket, http


class Program:
    """The program, whose records are counted by participant."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.counts = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            name = json.loads(line)["source"]
            self.counts[name] = self.counts.get(name, 0) + 1

    def usage(self):
        """Returns the number of threads and of open files, and the memory in MB."""
        folder = pathlib.Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        files = len(list((folder / "fd").iterdir()))
        return int(status["Threads"]), files, int(status["VmRSS"].split()[0]) // 1000


class Visit:
    """A participant from joining to leaving."""

    def __init__(self, server, name):
        arguments = argparse.Namespace(server=server, name=name, source=SOURCE, codec="VP8", loss=0)
        self.name = name
        self.janus = Janus(server)
        self.peer = publish(arguments, self.janus, {"request": "join", "room": ROOM})

    def leave(self):
        self.janus.end()
        self.peer.pipeline.set_state(Gst.State.NULL)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--joins", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("options", nargs="*")
    arguments = parser.parse_args()
    Gst.init(None)
    folder = tempfile.TemporaryDirectory()
    janus, websocket, http = start_janus(pathlib.Path(folder.name))
    server = f"http://127.0.0.1:{http}/janus"
    command = [arguments.program, "room", "janus", f"ws://127.0.0.1:{websocket}", "--room", str(ROOM)]
    program = Program([*command, *arguments.options])
    end = time.monotonic() + 60 * arguments.minutes
    joins, first = 0, None
    resident = Visit(server, "resident")
    try:
        while joins < arguments.joins and time.monotonic() < end:
            visits = [Visit(server, f"visitor-{joins + number}") for number in range(TOGETHER)]
            joins += TOGETHER
            deadline = time.monotonic() + participant.TIMEOUT_S
            while not all(program.counts.get(visit.name) for visit in visits):
                if time.monotonic() > deadline or program.process.poll() is not None:
                    sys.exit(f"churn.py: no records of participants after {joins} joins")
                time.sleep(0.02)
            for visit in visits:
                visit.leave()
            if joins % REPORT_EACH < TOGETHER:
                usage = program.usage()
                print(f"{joins} joins: {usage[0]} threads, {usage[1]} files, {usage[2]} MB", flush=True)
                if not first:
                    first = settled(program)
                    print(f"settled: {first[0]} threads, {first[1]} files, {first[2]} MB", flush=True)
        last = settled(program)
        print(f"settled after {joins} joins: {last[0]} threads, {last[1]} files, {last[2]} MB")
        before = program.counts["resident"]
        time.sleep(1)
        if program.counts["resident"] == before:
            sys.exit("churn.py: the participant that stayed is no longer analyzed")
        if first and (last[0] > first[0] + 2 or last[1] > first[1] + 2):
            sys.exit(f"churn.py: after {REPORT_EACH} joins there were {first[0]} threads and {first[1]} files")
    finally:
        program.process.terminate()
        program.process.wait(20)
        resident.leave()
        janus.terminate()
        janus.wait(20)


def settled(program):
    """Waits until the participants that left are gone. Returns the usage of the program."""
    time.sleep(SETTLE_S)
    return program.usage()


if __name__ == "__main__":
    main()
