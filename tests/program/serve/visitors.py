# SPDX-License-Identifier: MPL-2.0
"""Visitors of `gst-attitude serve` without a browser.

They send a clip that was encoded in advance, so that their cost is small compared with that of the server.
"""

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

# Maximum duration of each step of a connection.
TIMEOUT_S = 20


def make_clip(path, source, repeats, caps):
    """Writes the H.264 of the MP4 file `source` to `path` `repeats` times, converted to VP8 with the raw `caps`."""
    parts = f" filesrc location={source} ! qtdemux ! h264parse ! parts." * repeats
    description = (
        f"concat name=parts ! h264parse ! avdec_h264 ! videorate ! videoscale ! videoconvert ! {caps} "
        f"! vp8enc deadline=1 cpu-used=8 target-bitrate=600000 keyframe-max-dist=60 ! webmmux "
        f"! filesink location={path}{parts}"
    )
    subprocess.run(["gst-launch-1.0", "-q", *description.split()], check=True)


def request(server, method, path, body=None):
    """Sends a request. Returns the response parsed as JSON, or None if it is empty; raises urllib.error.HTTPError."""
    data = None if body is None else json.dumps(body).encode()
    message = urllib.request.Request(server + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(message, timeout=TIMEOUT_S) as response:
        text = response.read()
        return json.loads(text) if text else None


class Visitor:
    """A visitor that sends the VP8 of a clip like a camera, and counts samples, faces and frames that it receives."""

    def __init__(self, server, clip):
        self.server = server
        self.samples = self.frames = self.faces = 0
        self.closing = None
        self.channels = {}
        self.opened = threading.Event()
        session = request(server, "POST", "/sessions", {})
        self.id = session["id"]
        self.pipeline = Gst.parse_launch(
            f"filesrc location={clip} ! matroskademux ! clocksync ! rtpvp8pay picture-id-mode=15-bit "
            "! application/x-rtp,media=video,encoding-name=VP8,payload=96 "
            "! webrtcbin name=peer bundle-policy=max-bundle"
        )
        self.webrtc = self.pipeline.get_by_name("peer")
        self.webrtc.connect("on-data-channel", self._on_channel)
        self.pipeline.set_state(Gst.State.PLAYING)
        _, offer = GstSdp.SDPMessage.new_from_text(session["offer"])
        offer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, offer)
        self._do("set-remote-description", offer)
        reply = self._do("create-answer", None)
        self._do("set-local-description", reply.get_value("answer"))
        deadline = time.monotonic() + TIMEOUT_S
        while self.webrtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            if time.monotonic() > deadline:
                raise TimeoutError("no candidates")
            time.sleep(0.01)
        self.answer = self.webrtc.get_property("local-description").sdp.as_text()

    def connect(self):
        """Sends the answer, and waits until the channels are open."""
        request(self.server, "POST", f"/sessions/{self.id}/answer", {"answer": self.answer})
        if not self.opened.wait(TIMEOUT_S):
            raise TimeoutError("the control channel does not open")
        return self

    def send(self, message):
        """Sends a message on the control channel if it is still open."""
        if self.channels["control"].get_property("ready-state") == GstWebRTC.WebRTCDataChannelState.OPEN:
            self.channels["control"].emit("send-string", json.dumps(message))

    def disappear(self):
        """Stops without closing the session."""
        self.pipeline.set_state(Gst.State.NULL)
        # Breaks the cycles between these objects and the visitor.
        self.pipeline = self.webrtc = None
        self.channels.clear()
        gc.collect()

    def leave(self):
        """Closes the session and stops."""
        try:
            request(self.server, "DELETE", f"/sessions/{self.id}")
        except urllib.error.HTTPError as error:
            if error.code != 404:  # The server has closed it already.
                raise
        self.disappear()

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
