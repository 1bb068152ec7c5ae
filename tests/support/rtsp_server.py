#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Runs an RTSP server for tests, which streams a picture as live video and records what clients publish.

    tests/support/rtsp_server.py PORT PICTURE.png [FILE.mkv]

rtsp://127.0.0.1:PORT/camera streams the picture as H.264 until the server is killed, and /film the same with B-frames.
The stream that is published on /published is written to FILE. Prints `ready` when the server accepts connections.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CAMERA = """( filesrc location="{}" ! pngdec ! imagefreeze is-live=true ! videoconvert ! videoscale
    ! video/x-raw,format=I420,width=240,height=240,framerate=25/1
    ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 )"""
# With B-frames.
FILM = CAMERA.replace("tune=zerolatency", "bframes=2 b-adapt=false").replace(
    "! rtp", "! video/x-h264,profile=main ! rtp"
)
RECORDER = '( rtph264depay name=depay0 ! h264parse ! matroskamux ! filesink location="{}" )'


def factory(description):
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(description)
    factory.set_shared(True)
    return factory


def main():
    Gst.init(None)
    port, picture, *file = sys.argv[1:]
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    server.get_mount_points().add_factory("/camera", factory(CAMERA.format(picture)))
    server.get_mount_points().add_factory("/film", factory(FILM.format(picture)))
    if file:
        recorder = factory(RECORDER.format(*file))
        recorder.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
        server.get_mount_points().add_factory("/published", recorder)
    if not server.attach(None):
        sys.exit(f"cannot listen on port {port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
