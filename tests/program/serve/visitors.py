# SPDX-License-Identifier: MPL-2.0
"""Visitors of `gst-attitude serve` without a browser, that send what has been encoded before: they cost little, so
that what is measured is the server."""

import gc
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

# How long a step of the way to a connection may take.
PATIENCE_S = 20


def make_clip(path, source, repeats, caps):
    """Writes the H.264 of the MP4 `source` `repeats` times, as VP8 of these raw `caps`, to `path`."""
    parts = f" filesrc location={source} ! qtdemux ! h264parse ! parts." * repeats
    description = (
        f"concat name=parts ! h264parse ! avdec_h264 ! videorate ! videoscale ! videoconvert ! {caps} ! vp8enc deadline=1 cpu-used=8 "
        f"target-bitrate=600000 keyframe-max-dist=60 ! webmmux ! filesink location={path}{parts}"
    )
    subprocess.run(["gst-launch-1.0", "-q", *description.split()], check=True)


def ask(server, method, path, body=None):
    """The server's answer, read as JSON where there is any; an error is an urllib.error.HTTPError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
        text = response.read()
        return json.loads(text) if text else None


class Visitor:
    """Sends the VP8 of a clip as if it were a camera, and counts what comes back."""

    def __init__(self, server, clip):
        self.server = server
        self.samples = self.frames = self.faces = 0
        self.closing = None
        self.channels = {}
        self.opened = threading.Event()
        session = ask(server, "POST", "/sessions", {})
        self.id = session["id"]
        self.pipeline = Gst.parse_launch(
            f"filesrc location={clip} ! matroskademux ! clocksync ! rtpvp8pay picture-id-mode=15-bit "
            "! application/x-rtp,media=video,encoding-name=VP8,payload=96 ! webrtcbin name=peer bundle-policy=max-bundle"
        )
        self.webrtc = self.pipeline.get_by_name("peer")
        self.webrtc.connect("on-data-channel", self._on_channel)
        self.pipeline.set_state(Gst.State.PLAYING)
        _, offer = GstSdp.SDPMessage.new_from_text(session["offer"])
        offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, offer)
        self._do("set-remote-description", offer)
        reply = self._do("create-answer", None)
        self._do("set-local-description", reply.get_value("answer"))
        deadline = time.monotonic() + PATIENCE_S
        while self.webrtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            if time.monotonic() > deadline:
                raise TimeoutError("no candidates")
            time.sleep(0.01)
        self.answer = self.webrtc.get_property("local-description").sdp.as_text()

    def connect(self):
        """Sends the answer, and waits until the channels are open."""
        ask(self.server, "POST", f"/sessions/{self.id}/answer", {"answer": self.answer})
        if not self.opened.wait(PATIENCE_S):
            raise TimeoutError("the control channel does not open")
        return self

    def say(self, word):
        """A word on the control channel; nothing once it has been closed."""
        if self.channels["control"].get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN:
            self.channels["control"].emit("send-string", json.dumps(word))

    def vanish(self):
        """Goes without a word."""
        self.pipeline.set_state(Gst.State.NULL)
        # Each refers to the visitor, who refers to them.
        self.pipeline = self.webrtc = None
        self.channels.clear()
        gc.collect()

    def leave(self):
        """Says good-bye and goes."""
        try:
            ask(self.server, "DELETE", f"/sessions/{self.id}")
        except urllib.error.HTTPError as error:
            if error.code != 404:  # The server has ended it before.
                raise
        self.vanish()

    def _do(self, action, argument):
        promise = Gst.Promise.new()
        self.webrtc.emit(action, argument, promise)
        promise.wait()
        return promise.get_reply()

    def _on_channel(self, _webrtc, channel):
        label = channel.get_property("label")
        self.channels[label] = channel
        channel.connect("on-message-string", self._on_message, label)
        if label == "control":
            self.opened.set()

    def _on_message(self, _channel, text, label):
        if label == "control":
            self.closing = json.loads(text).get("closing")
        elif label == "samples":
            self.samples += 1
            self.faces += len(json.loads(text)["faces"])
        else:
            self.frames += 1
