#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Tracks the faces in several live streams, which are added and removed at run time; an example for backends.

    pipelines/streams.py
    add alice rtsp://192.0.2.1/stream
    add bob rtsp://192.0.2.2/stream
    remove alice

Reads one command per line from stdin, until its end or Ctrl-C, and prints one JSON object per event on stdout:

    {"stream": "alice", "event": "live"}
    {"stream": "bob", "event": "faces", "time": 1.4, "faces": [{"track": 1, "attitude": "positive", "confidence": 0.9}]}
    {"stream": "alice", "event": "lost", "reason": "…"}

`faces` is printed on each change, with the running time in seconds. A stream that fails, ends or hangs is `lost`; it is
restarted after 1, 2, 4 and up to 30 seconds until it is `live`, and its track numbers start at 1 again. This applies to
files too: a file that has ended plays again from its beginning until it is removed. pipelines/streams.rs is the same
program in Rust.

Requires the plugin (pipelines/setup.sh) and the Debian packages python3-gi and gir1.2-gstreamer-1.0.
"""

import argparse
import json
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

# The watchdog waits longer than rtspsrc, which tries UDP for 5 s before TCP.
PIPELINE = """uridecodebin name=source
    ! videoconvert ! watchdog timeout=15000 ! faceattitude ! fakesink sync=true"""
LATENCY_MS = 200
MAX_DELAY_S = 30

# Deprecated, but PyGObject returns lists in structures as no other type.
warnings.filterwarnings("ignore", "GObject.ValueArray", DeprecationWarning)


def faces_of(record: Gst.Structure) -> Iterator[dict[str, Any]]:
    """Yields the faces of a message as they are printed."""
    _, faces = record.get_list("faces")
    for index in range(faces.n_values):
        face = faces.get_nth(index)
        yield {
            "track": face.get_value("track"),
            "attitude": face.get_value("attitude"),
            "confidence": round(face.get_value("confidence"), 2),
        }


def describe(error: GLib.Error, debug: str | None) -> str:
    """Returns an error as a sentence, without the first line of `debug`: the position in GStreamer's source code."""
    details = " ".join((debug or "").splitlines()[1:])
    return f"{error.message} {details}".strip()


def on_source(_bin: Gst.Bin, source: Gst.Element) -> None:
    """Limits the latency of a network source."""
    if source.find_property("latency"):
        source.set_property("latency", LATENCY_MS)


class Stream:
    """A stream with its own pipeline, so that streams do not affect each other."""

    def __init__(self, name: str, uri: str) -> None:
        self.name = name
        self.uri = uri
        self.delay_s = 1
        self.restart_timer: int | None = None  # Set while the stream is lost.
        self.start()

    def start(self) -> bool:
        """Plays a new pipeline: gst-parse does not link the pads of a source again after a restart."""
        self.restart_timer = None
        self.pipeline = Gst.parse_launch(PIPELINE)
        source = self.pipeline.get_by_name("source")
        source.set_property("uri", self.uri)
        source.connect("source-setup", on_source)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        self.handler = bus.connect("message", self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)  # Errors are posted on the bus.
        return GLib.SOURCE_REMOVE

    def stop(self) -> None:
        """Stops the stream for good."""
        if self.restart_timer is not None:
            GLib.source_remove(self.restart_timer)
        else:
            self.drop_pipeline()

    def drop_pipeline(self) -> None:
        """Stops and frees the pipeline."""
        self.pipeline.set_state(Gst.State.NULL)
        bus = self.pipeline.get_bus()
        bus.remove_signal_watch()
        bus.disconnect(self.handler)  # It refers to this stream, which refers to the pipeline.
        self.pipeline = None

    def report(self, event: str, **fields: Any) -> None:
        """Prints an event."""
        print(json.dumps({"stream": self.name, "event": event, **fields}), flush=True)

    def on_message(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        """Handles a message of the pipeline, in the main thread."""
        if message.type == Gst.MessageType.STREAM_START:
            self.delay_s = 1
            self.report("live")
        elif message.type == Gst.MessageType.ELEMENT and message.get_structure().get_name() == "faceattitude":
            record = message.get_structure()
            time = round(record.get_value("running-time") / Gst.SECOND, 3)
            self.report("faces", time=time, faces=list(faces_of(record)))
        elif message.type == Gst.MessageType.ERROR:
            self.on_lost(describe(*message.parse_error()))
        elif message.type == Gst.MessageType.EOS:
            self.on_lost("the stream has ended")
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()

    def on_lost(self, reason: str) -> None:
        """Reports that the stream is lost, and restarts it later."""
        self.drop_pipeline()
        self.report("lost", reason=reason)
        self.restart_timer = GLib.timeout_add_seconds(self.delay_s, self.start)
        self.delay_s = min(2 * self.delay_s, MAX_DELAY_S)


def execute(streams: dict[str, Stream], line: str) -> None:
    """Executes a command; `streams` contains the streams by name."""
    match line.split():
        case ["add", name, uri] if name not in streams:
            streams[name] = Stream(name, uri)
        case ["remove", name] if name in streams:
            streams.pop(name).stop()
        case ["add", name, _]:
            print(f"streams: stream {name} already exists; remove it first", file=sys.stderr)
        case ["remove", name]:
            print(f"streams: there is no stream {name}", file=sys.stderr)
        case []:
            pass
        case _:
            print(f"streams: expected `add NAME URI` or `remove NAME`, found: {line.strip()}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Gst.init(None)
    if not Gst.ElementFactory.find("faceattitude"):
        sys.exit("streams: GStreamer does not find faceattitude; run pipelines/setup.sh")
    loop = GLib.MainLoop()
    streams: dict[str, Stream] = {}

    def read_commands() -> None:
        for line in sys.stdin:
            GLib.idle_add(execute, streams, line)
        GLib.idle_add(loop.quit)

    threading.Thread(target=read_commands, daemon=True).start()
    loop.run()
    for stream in streams.values():
        stream.stop()


if __name__ == "__main__":
    main()
    Gst.deinit()  # Reports leaks if GST_TRACERS=leaks is set.
