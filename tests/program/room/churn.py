#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Lets participants join and leave a room while `gst-attitude room` analyzes it, and reports what it keeps.

    churn.py [--visits N] [--minutes MINUTES] PROGRAM [-- OPTION...]

Starts a Janus server of its own. One participant stays. The others join, are analyzed, and leave, three at a time.
Prints threads, open files and memory of the program every 50 visits. Exits with an error if there are more threads or
files at the end than after the first 50 visits.
"""

import argparse
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from participant import Gst, Janus, publish

sys.path.append(str(pathlib.Path(__file__).parents[2] / "support"))
import visits

ROOM = 42
SOURCE = "videotestsrc is-live=true pattern=white ! video/x-raw,width=160,height=120,framerate=10/1"


def start_janus(folder):
    """Starts a server. Returns the process and the ports of its transports."""
    websocket, http = visits.free_port(), visits.free_port()
    for name, text in {
        "janus": f'general: {{ configs_folder = "{folder}"; debug_level = 2 }}',
        "janus.transport.websockets": f'general: {{ ws = true; ws_port = {websocket}; ws_ip = "127.0.0.1" }}',
        "janus.transport.http": f'general: {{ http = true; port = {http}; ip = "127.0.0.1"; base_path = "/janus" }}',
        "janus.plugin.videoroom": f"room-{ROOM}: {{ publishers = 20; fir_freq = 10 }}",
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


class Visit:
    """A participant from joining to leaving."""

    def __init__(self, server, name):
        arguments = argparse.Namespace(server=server, name=name, source=SOURCE, codec="VP8")
        self.janus = Janus(server)
        self.peer = publish(arguments, self.janus, {"request": "join", "room": ROOM})

    def leave(self):
        self.janus.end()
        self.peer.pipeline.set_state(Gst.State.NULL)


def main():
    arguments = visits.arguments(__doc__.splitlines()[0])
    Gst.init(None)
    folder = tempfile.TemporaryDirectory()
    janus, websocket, http = start_janus(pathlib.Path(folder.name))
    server = f"http://127.0.0.1:{http}/janus"
    command = [arguments.program, "room", "janus", f"ws://127.0.0.1:{websocket}", "--room", str(ROOM)]
    program = visits.Program([*command, *arguments.options])
    resident = Visit(server, visits.RESIDENT)

    def come(names):
        return [Visit(server, name) for name in names]

    def go(visitors):
        for visit in visitors:
            visit.leave()

    try:
        visits.run(program, arguments, come, go)
    finally:
        program.end()
        resident.leave()
        janus.terminate()
        janus.wait(20)


if __name__ == "__main__":
    main()
