#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Analyses video that comes by WebRTC and answers on a data channel.

    pipelines/webrtc.py [SOURCE]

    SOURCE  elements that give video, `v4l2src` if left out; a file: 'filesrc location=interview.mp4'

Two peers in one process. The participant sends SOURCE as VP8 and opens a data channel `attitude`. The analyser sends back on
it what attitudeexport tells of each change, a JSON object a message; the participant prints them, until SOURCE or Ctrl-C ends.
In an application the participant is a browser, and `connect` passes its offers, answers and candidates over a
WebSocket; between networks webrtcbin needs its property stun-server.

Needs the plugin (pipelines/setup.sh) and Debian's packages python3-gi, gir1.2-gst-plugins-base-1.0,
gir1.2-gst-plugins-bad-1.0 and gstreamer1.0-nice.
"""

import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402, F401 (the types that webrtcbin gives)

PARTICIPANT = """{} ! decodebin ! videoconvert ! queue ! vp8enc deadline=1 keyframe-max-dist=50 ! rtpvp8pay
    ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! webrtcbin name=peer bundle-policy=max-bundle"""
ANALYSER = """webrtcbin name=peer bundle-policy=max-bundle latency=100 ! rtpvp8depay ! vp8dec ! videoconvert ! faceattitude
    ! attitudeexport interval=change ! appsink name=events sync=false"""


class Peer:
    """A pipeline with a webrtcbin."""

    def __init__(self, description, loop):
        self.pipeline = Gst.parse_launch(description)
        self.webrtc = self.pipeline.get_by_name("peer")
        self.loop = loop
        self.problem = None
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)

    def on_message(self, _bus, message):
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            self.problem = f"{message.src.get_path_string()}: {error.message}\n{debug}"
            self.loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()

    def stop(self):
        self.pipeline.set_state(Gst.State.NULL)
        self.pipeline.get_bus().remove_signal_watch()


def connect(caller, callee):
    """Passes what each peer's signalling says to the other: an offer, the answer, and both sides' candidates."""
    caller.connect("on-ice-candidate", lambda _, line, candidate: callee.emit("add-ice-candidate", line, candidate))
    callee.connect("on-ice-candidate", lambda _, line, candidate: caller.emit("add-ice-candidate", line, candidate))

    def on_offer(promise):
        reply = promise.get_reply()  # What it holds is valid for as long as it is.
        offer = reply.get_value("offer")
        caller.emit("set-local-description", offer, None)
        callee.emit("set-remote-description", offer, Gst.Promise.new_with_change_func(on_offer_set))

    def on_offer_set(_promise):
        callee.emit("create-answer", None, Gst.Promise.new_with_change_func(on_answer))

    def on_answer(promise):
        reply = promise.get_reply()
        answer = reply.get_value("answer")
        callee.emit("set-local-description", answer, None)
        caller.emit("set-remote-description", answer, None)

    caller.connect(
        "on-negotiation-needed", lambda _: caller.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer))
    )


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Gst.init(None)
    if not Gst.ElementFactory.find("nicesrc"):
        sys.exit("webrtc: webrtcbin cannot work without libnice; apt-get install gstreamer1.0-nice")
    loop = GLib.MainLoop()
    try:
        participant = Peer(PARTICIPANT.format(*sys.argv[1:] or ["v4l2src"]), loop)
        analyser = Peer(ANALYSER, loop)
    except GLib.Error as error:
        sys.exit(f"webrtc: {error.message}; is the plugin installed? See pipelines/setup.sh")
    connect(participant.webrtc, analyser.webrtc)

    def answer(_webrtc, channel):
        """The analyser's end of the data channel: what the appsink has kept until it is open is sent, too."""
        channel.connect("on-open", lambda channel: threading.Thread(target=send, args=[channel], daemon=True).start())

    def send(channel):
        while sample := events.emit("pull-sample"):
            buffer = sample.get_buffer()
            channel.emit("send-string", buffer.extract_dup(0, buffer.get_size()).decode())

    def on_end(_pad, info):
        if info.get_event().type == Gst.EventType.EOS:
            GLib.timeout_add_seconds(1, loop.quit)  # Time for what is still on its way.
        return Gst.PadProbeReturn.OK

    events = analyser.pipeline.get_by_name("events")
    analyser.webrtc.connect("on-data-channel", answer)
    participant.webrtc.get_static_pad("sink_0").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_end)
    # What fails says so on the bus.
    if participant.pipeline.set_state(Gst.State.READY) != Gst.StateChangeReturn.FAILURE:
        channel = participant.webrtc.emit("create-data-channel", "attitude", None)
        channel.connect("on-message-string", lambda _, line: print(line, end="", flush=True))
        analyser.pipeline.set_state(Gst.State.PLAYING)
        participant.pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    for peer in (participant, analyser):
        peer.stop()
        if peer.problem:
            sys.exit(f"webrtc: {peer.problem}")


if __name__ == "__main__":
    main()
