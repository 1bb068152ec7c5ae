#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Follows the faces of many live streams, which come and go. What a conferencing backend starts from.

    pipelines/streams.py
    add alice rtsp://192.0.2.1/stream
    add bob rtsp://192.0.2.2/stream
    remove alice

Commands are lines on stdin, until its end or Ctrl-C; a line of JSON on stdout tells what happens:

    {"stream": "alice", "event": "live"}
    {"stream": "alice", "event": "faces", "time": 1.4, "faces": [{"track": 1, "attitude": "positive", "confidence": 0.91}]}
    {"stream": "alice", "event": "lost", "reason": "…"}

`faces` comes with each change, at that running time in seconds. A stream that fails, ends or hangs is `lost`, and started
again after 1, 2, 4, up to 30 seconds, until it is `live`; its faces are new ones then, with tracks from 1.
pipelines/streams.rs is the same in Rust.

Needs the plugin (pipelines/setup.sh) and Debian's packages python3-gi and gir1.2-gstreamer-1.0.
"""

import json
import signal
import sys
import threading
import warnings

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

# The watchdog waits longer than rtspsrc, which tries UDP for 5 s before TCP.
PIPELINE = """uridecodebin name=source
    ! videoconvert ! watchdog timeout=15000 ! faceattitude ! fakesink sync=true"""
LATENCY_MS = 200
LONGEST_DELAY = 30

# Deprecated, but there is no other type in which PyGObject gives the lists of a structure.
warnings.filterwarnings("ignore", "GObject.ValueArray", DeprecationWarning)


def faces(record):
    """What of a message's faces this program tells."""
    _, faces = record.get_list("faces")
    for index in range(faces.n_values):
        face = faces.get_nth(index)
        yield {
            "track": face.get_value("track"),
            "attitude": face.get_value("attitude"),
            "confidence": round(face.get_value("confidence"), 2),
        }


def on_source(_bin, source):
    if source.find_property("latency"):
        source.set_property("latency", LATENCY_MS)


class Stream:
    """Has a pipeline of its own, so that what happens to one stream is nothing to the others."""

    def __init__(self, name, uri):
        self.name = name
        self.uri = uri
        self.delay = 1
        self.restart = None  # The timer's id, while the stream is lost.
        self.start()

    def start(self):
        """Plays a new pipeline: gst-parse links the pads of a source once, not again after a restart."""
        self.restart = None
        self.pipeline = Gst.parse_launch(PIPELINE)
        source = self.pipeline.get_by_name("source")
        source.set_property("uri", self.uri)
        source.connect("source-setup", on_source)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        self.handler = bus.connect("message", self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)  # What fails says so on the bus.
        return GLib.SOURCE_REMOVE

    def stop(self):
        if self.restart:
            GLib.source_remove(self.restart)
        else:
            self.drop_pipeline()

    def drop_pipeline(self):
        self.pipeline.set_state(Gst.State.NULL)
        bus = self.pipeline.get_bus()
        bus.remove_signal_watch()
        bus.disconnect(self.handler)  # It holds this stream, which holds the pipeline.
        self.pipeline = None

    def tell(self, event, **more):
        print(json.dumps({"stream": self.name, "event": event, **more}), flush=True)

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.STREAM_START:
            self.delay = 1
            self.tell("live")
        elif message.type == Gst.MessageType.ELEMENT and message.get_structure().get_name() == "faceattitude":
            record = message.get_structure()
            time = round(record.get_value("running-time") / Gst.SECOND, 3)
            self.tell("faces", time=time, faces=list(faces(record)))
        elif message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            self.on_lost(f"{error.message} {debug}")
        elif message.type == Gst.MessageType.EOS:
            self.on_lost("the stream has ended")
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()

    def on_lost(self, reason):
        self.drop_pipeline()
        self.tell("lost", reason=reason)
        self.restart = GLib.timeout_add_seconds(self.delay, self.start)
        self.delay = min(2 * self.delay, LONGEST_DELAY)


def obey(streams, line):
    """Does what a line of stdin says."""
    match line.split():
        case ["add", name, uri] if name not in streams:
            streams[name] = Stream(name, uri)
        case ["remove", name] if name in streams:
            streams.pop(name).stop()
        case ["add", name, _]:
            print(f"streams: there is a stream {name} already; remove it first", file=sys.stderr)
        case ["remove", name]:
            print(f"streams: there is no stream {name}", file=sys.stderr)
        case []:
            pass
        case _:
            print(f"streams: not `add NAME URI` or `remove NAME`: {line.strip()}", file=sys.stderr)


def main():
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Gst.init(None)
    if not Gst.ElementFactory.find("faceattitude"):
        sys.exit("streams: GStreamer has no faceattitude; run pipelines/setup.sh")
    loop = GLib.MainLoop()
    streams = {}

    def read():
        for line in sys.stdin:
            GLib.idle_add(obey, streams, line)
        GLib.idle_add(loop.quit)

    threading.Thread(target=read, daemon=True).start()
    loop.run()
    for stream in streams.values():
        stream.stop()


if __name__ == "__main__":
    main()
    Gst.deinit()  # With GST_TRACERS=leaks it tells what has not been freed.
