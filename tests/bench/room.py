#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Measures `gst-attitude room` in a room of Janus: the delay of a record, and the cost of a participant.

    tests/bench/room.py CLIP [--participants N]... [--seconds N] [--program FILE] [--output FOLDER]

Encodes the clip as 640x360 at 30 frames per second without B-frames, lets participants publish it in a room of a
Janus of its own, and publishes the records to a Mosquitto of its own, with one participant and with several. Prints a
Markdown table and writes it to room.md. Fails if a participant was down at the end.

    --participants  number of participants; can be repeated (default: 1 and 16)
    --seconds       duration of each measurement (default: 30), after 10 seconds to connect
    --program       program to measure, instead of a release build of this repository
    --output        folder for the results (default: output/bench)

The delay is the time of arrival at a subscriber minus `utc`, the time at which Janus forwarded the frame by its clock,
which is that of this machine. Runs with Debian's Python; requires what `pipelines/setup.sh --tests` installs.
"""

import pathlib
import sys
import tempfile

import build
import live_streams

sys.path.append(str(build.ROOT / "tests/program/room"))
import churn
from participant import Gst, Janus, Peer

# Does not encode, which would take most of the CPU time of this machine.
PUBLISH = (
    "filesrc location={} ! matroskademux ! h264parse ! clocksync ! rtph264pay config-interval=-1 "
    "aggregate-mode=zero-latency ! application/x-rtp,media=video,encoding-name=H264,payload=96 "
    "! webrtcbin name=peer bundle-policy=max-bundle"
)


class Participant:
    """A participant that publishes a file."""

    def __init__(self, server, number, path):
        self.janus = Janus(server)
        join = {"request": "join", "room": churn.ROOM, "ptype": "publisher", "display": f"participant-{number}"}
        self.janus.ask(join)
        self.peer = Peer(PUBLISH.format(path))
        _, answer = self.janus.ask({"request": "publish", "videocodec": "h264"}, self.peer.describe("offer"))
        self.peer.accept(answer)
        self.peer.wait_until_connected()

    def leave(self):
        self.janus.end()
        self.peer.pipeline.set_state(Gst.State.NULL)


def main():
    arguments = live_streams.arguments(__doc__.splitlines()[0], "participants")
    Gst.init(None)
    rows = []
    with tempfile.TemporaryDirectory() as temporary, live_streams.mosquitto() as broker:
        folder = pathlib.Path(temporary)
        path = live_streams.encode(arguments.clip, folder)
        janus, websocket, http = churn.start_janus(folder)
        command = [arguments.program, "room", "janus", f"ws://127.0.0.1:{websocket}", "--room", str(churn.ROOM)]
        try:
            for count in arguments.counts:
                server = f"http://127.0.0.1:{http}/janus"
                participants = [Participant(server, number, path) for number in range(count)]
                rows.append(live_streams.measure(command, count, arguments.seconds, broker))
                for participant in participants:
                    participant.leave()
        finally:
            janus.terminate()
            janus.wait(20)
    live_streams.report("room", "participant", rows, arguments.output)


if __name__ == "__main__":
    main()
