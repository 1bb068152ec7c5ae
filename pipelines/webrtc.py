#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Receives video over WebRTC, analyzes it and sends the results on a data channel.

    pipelines/webrtc.py [SOURCE]

    SOURCE  elements that produce video (default: `v4l2src`); for a file: 'filesrc location=interview.mp4'

The example runs two peers in one process. The participant sends SOURCE as VP8 and opens the data channel `attitude`.
The analyzer sends the output of attitudeexport on this channel, one JSON object per change, and the participant prints
it, until the end of SOURCE or Ctrl-C. In an application, the participant is a browser, and `connect` exchanges offers,
answers and candidates over a WebSocket; between networks, webrtcbin needs the property stun-server.

Requires the plugin (pipelines/setup.sh) and the Debian packages python3-gi, gir1.2-gst-plugins-base-1.0,
gir1.2-gst-plugins-bad-1.0 and gstreamer1.0-nice.
"""

import argparse
import signal
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402, F401 (registers the types that webrtcbin uses)

PARTICIPANT = """{} ! decodebin ! videoconvert ! queue ! vp8enc deadline=1 keyframe-max-dist=50 ! rtpvp8pay
    ! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! webrtcbin name=peer bundle-policy=max-bundle"""
ANALYZER = """webrtcbin name=peer bundle-policy=max-bundle latency=100 ! rtpvp8depay ! vp8dec ! videoconvert
    ! faceattitude ! attitudeexport interval=change ! appsink name=events sync=false"""


def describe(error: GLib.Error, debug: str | None) -> str:
    """Returns an error as a sentence, without the first line of `debug`: the position in GStreamer's source code."""
    details = " ".join((debug or "").splitlines()[1:])
    return f"{error.message} {details}".strip()


class Peer:
    """A pipeline with webrtcbin. An error ends the main loop."""

    def __init__(self, description: str, loop: GLib.MainLoop) -> None:
        self.pipeline = Gst.parse_launch(description)
        self.webrtc = self.pipeline.get_by_name("peer")
        self.loop = loop
        self.error: str | None = None
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)

    def on_message(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        if message.type == Gst.MessageType.ERROR:
            self.error = f"{message.src.get_name()}: {describe(*message.parse_error())}"
            self.loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()

    def stop(self) -> None:
        self.pipeline.set_state(Gst.State.NULL)
        self.pipeline.get_bus().remove_signal_watch()


def connect(caller: Gst.Element, callee: Gst.Element) -> None:
    """Exchanges the signaling of two peers: the offer, the answer and the candidates."""
    caller.connect("on-ice-candidate", lambda _, line, candidate: callee.emit("add-ice-candidate", line, candidate))
    callee.connect("on-ice-candidate", lambda _, line, candidate: caller.emit("add-ice-candidate", line, candidate))

    def on_offer(promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # Owns the offer.
        offer = reply.get_value("offer")
        caller.emit("set-local-description", offer, None)
        callee.emit("set-remote-description", offer, Gst.Promise.new_with_change_func(on_offer_set))

    def on_offer_set(_promise: Gst.Promise) -> None:
        callee.emit("create-answer", None, Gst.Promise.new_with_change_func(on_answer))

    def on_answer(promise: Gst.Promise) -> None:
        reply = promise.get_reply()
        answer = reply.get_value("answer")
        callee.emit("set-local-description", answer, None)
        caller.emit("set-remote-description", answer, None)

    caller.connect(
        "on-negotiation-needed", lambda _: caller.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer))
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="SOURCE", nargs="?", default="v4l2src", help="elements that produce video")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Gst.init(None)
    if not Gst.ElementFactory.find("nicesrc"):
        sys.exit("webrtc: webrtcbin requires libnice; run apt-get install gstreamer1.0-nice")
    loop = GLib.MainLoop()
    try:
        participant = Peer(PARTICIPANT.format(arguments.source), loop)
        analyzer = Peer(ANALYZER, loop)
    except GLib.Error as error:
        sys.exit(f"webrtc: {error.message}; to install the plugin, run pipelines/setup.sh")
    connect(participant.webrtc, analyzer.webrtc)

    def on_data_channel(_webrtc: Gst.Element, channel: GstWebRTC.WebRTCDataChannel) -> None:
        """Starts sending when the analyzer's end of the data channel opens, with the samples queued until then."""
        channel.connect("on-open", lambda channel: threading.Thread(target=send, args=[channel], daemon=True).start())

    def send(channel: GstWebRTC.WebRTCDataChannel) -> None:
        while sample := events.emit("pull-sample"):
            buffer = sample.get_buffer()
            channel.emit("send-string", buffer.extract_dup(0, buffer.get_size()).decode())

    def on_end(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        if info.get_event().type == Gst.EventType.EOS:
            GLib.timeout_add_seconds(1, loop.quit)  # Waits for results in flight.
        return Gst.PadProbeReturn.OK

    events = analyzer.pipeline.get_by_name("events")
    analyzer.webrtc.connect("on-data-channel", on_data_channel)
    participant.webrtc.get_static_pad("sink_0").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_end)
    # Errors are posted on the bus.
    if participant.pipeline.set_state(Gst.State.READY) != Gst.StateChangeReturn.FAILURE:
        channel = participant.webrtc.emit("create-data-channel", "attitude", None)
        channel.connect("on-message-string", lambda _, line: print(line, end="", flush=True))
        analyzer.pipeline.set_state(Gst.State.PLAYING)
        participant.pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    for peer in (participant, analyzer):
        peer.stop()
        if peer.error:
            sys.exit(f"webrtc: {peer.error}")


if __name__ == "__main__":
    main()
