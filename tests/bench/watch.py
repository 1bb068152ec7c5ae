#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Measures `gst-attitude watch` on RTSP streams: the delay from the capture of a frame to its message, and the cost.

    tests/bench/watch.py CLIP [--sources N]... [--seconds N] [--program FILE] [--output FOLDER]

Encodes the clip as 640x360 at 30 frames per second without B-frames, streams it again and again from an RTSP server of
its own, watches it as one source and as several, and publishes to a Mosquitto of its own. Prints a Markdown table and
writes it to watch.md. Fails if a source was down at the end.

    --sources   number of sources; can be repeated (default: 1 and 16)
    --seconds   duration of each measurement (default: 30), after 10 seconds to connect
    --program   program to measure, instead of a release build of this repository
    --output    folder for the results (default: output/bench)

The delay is the time of arrival at a subscriber minus `utc`, the time of capture by the server's clock, which is that
of this machine. Runs with Debian's Python; requires what `pipelines/setup.sh --tests` installs.
"""

import pathlib
import tempfile
import threading

import gi
import live_streams

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

MEDIA = '( filesrc location="{}" ! matroskademux ! h264parse ! rtph264pay name=pay0 config-interval=1 )'


def serve(path):
    """Streams the file by RTSP in a thread. Returns the address."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(str(port := live_streams.free_port()))
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(MEDIA.format(path))
    factory.set_shared(True)
    server.get_mount_points().add_factory("/camera", factory)
    server.attach(None)
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
    return f"rtsp://127.0.0.1:{port}/camera"


def main():
    arguments = live_streams.arguments(__doc__.splitlines()[0], "sources")
    rows = []
    with tempfile.TemporaryDirectory() as folder, live_streams.mosquitto() as broker:
        uri = serve(live_streams.encode(arguments.clip, pathlib.Path(folder)))
        for count in arguments.counts:
            sources = [option for number in range(count) for option in ("--source", f"camera-{number}={uri}")]
            command = [arguments.program, "watch", *sources]
            rows.append(live_streams.measure(command, count, arguments.seconds, broker))
    live_streams.report("watch", "source", rows, arguments.output)


if __name__ == "__main__":
    main()
