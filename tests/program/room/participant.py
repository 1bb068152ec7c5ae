#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""A participant of a room of Janus, without a browser.

    participant.py SERVER ROOM NAME [--source ELEMENTS] [--codec CODEC] [--loss SHARE] [--pin PIN] [--receive NAME]

SERVER is the address of the HTTP transport. The participant publishes the video of ELEMENTS, or with --receive prints
each message that the participant of that name sends on data channels. It prints a line once it is connected, and obeys
lines of standard input: `freeze`, `continue`, and `leave`, which is also what happens at its end.
"""

import argparse
import http.client
import json
import os
import random
import sys
import threading
import time
import urllib.request
import uuid

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC  # noqa: E402

# Maximum duration of each step of a connection.
TIMEOUT_S = 30

ENCODERS = {
    "VP8": "vp8enc deadline=1 cpu-used=8 keyframe-max-dist=30 ! rtpvp8pay picture-id-mode=15-bit",
    "VP9": "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=30 ! rtpvp9pay picture-id-mode=15-bit",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=30 ! video/x-h264,profile=constrained-baseline"
    " ! rtph264pay config-interval=-1 aggregate-mode=zero-latency",
}
DEFAULT_SOURCE = "videotestsrc is-live=true pattern=white ! video/x-raw,width=320,height=240,framerate=15/1"


class Janus:
    """A session with one handle of VideoRoom, by HTTP."""

    def __init__(self, server):
        self.session = f"{server}/{self._post(server, {'janus': 'create'})['data']['id']}"
        attached = self._post(self.session, {"janus": "attach", "plugin": "janus.plugin.videoroom"})
        self.handle = f"{self.session}/{attached['data']['id']}"
        self.events = []
        self.arrived = threading.Condition()
        threading.Thread(target=self._poll, daemon=True).start()

    def ask(self, body, jsep=None):
        """Sends a request to the plugin and returns its response and its session description."""
        request = {"janus": "message", "body": body} | ({"jsep": jsep} if jsep else {})
        transaction = self._post(self.handle, request)["transaction"]
        with self.arrived:
            event = self._wait_for(lambda event: event.get("transaction") == transaction)
        data = event["plugindata"]["data"]
        if "error" in data:
            sys.exit(f"participant.py: {data['error']}")
        return data, event.get("jsep")

    def _wait_for(self, matches):
        deadline = time.monotonic() + TIMEOUT_S
        while not (found := [event for event in self.events if matches(event)]):
            if not self.arrived.wait(deadline - time.monotonic()):
                raise TimeoutError("no response of Janus")
        return found[0]

    def end(self):
        self._post(self.session, {"janus": "destroy"})

    def _poll(self):
        while True:
            try:
                with urllib.request.urlopen(f"{self.session}?maxev=1", timeout=2 * TIMEOUT_S) as response:
                    event = json.load(response)
            except (OSError, http.client.HTTPException):
                return  # The server has ended.
            if event["janus"] in ("error", "timeout"):
                return  # The session has ended.
            with self.arrived:
                self.events.append(event)
                self.arrived.notify_all()

    @staticmethod
    def _post(url, message):
        data = json.dumps(message | {"transaction": uuid.uuid4().hex}).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            answer = json.load(response)
        if "error" in answer:
            sys.exit(f"participant.py: {answer['error']['reason']}")
        return answer


class Peer:
    """A pipeline with a webrtcbin named `peer`."""

    def __init__(self, description):
        self.pipeline = Gst.Pipeline.new()
        self.pipeline.add(Gst.parse_bin_from_description(description, False))
        self.webrtc = self.pipeline.get_by_name("peer")
        # Sends lost packets again, as browsers do.
        for pad in self.webrtc.sinkpads:
            pad.get_property("transceiver").set_property("do-nack", True)
        self.pipeline.set_state(Gst.State.PLAYING)

    def describe(self, kind):
        """Returns an `offer` or `answer` with all candidates."""
        deadline = time.monotonic() + TIMEOUT_S
        while kind == "offer" and not self._has_caps():
            if time.monotonic() > deadline:
                raise TimeoutError("no video")
            time.sleep(0.01)
        # The description belongs to the reply.
        reply = self._do(f"create-{kind}", None)
        self._do("set-local-description", reply.get_value(kind))
        while self.webrtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            if time.monotonic() > deadline:
                raise TimeoutError("no candidates")
            time.sleep(0.01)
        return {"type": kind, "sdp": self.webrtc.get_property("local-description").sdp.as_text()}

    def accept(self, jsep):
        """Sets the description of the server."""
        kind = {"offer": GstWebRTC.WebRTCSDPType.OFFER, "answer": GstWebRTC.WebRTCSDPType.ANSWER}[jsep["type"]]
        _, sdp = GstSdp.SDPMessage.new_from_text(jsep["sdp"])
        self._do("set-remote-description", GstWebRTC.WebRTCSessionDescription.new(kind, sdp))

    def wait_until_connected(self):
        deadline = time.monotonic() + TIMEOUT_S
        while self.webrtc.get_property("connection-state") != GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            if time.monotonic() > deadline:
                raise TimeoutError("no connection")
            time.sleep(0.01)

    def _has_caps(self):
        pads = self.webrtc.sinkpads
        return pads and all(pad.get_current_caps() for pad in pads)

    def _do(self, action, argument):
        promise = Gst.Promise.new()
        self.webrtc.emit(action, argument, promise)
        promise.wait()
        return promise.get_reply()


def publish(arguments, janus, join):
    """Joins and publishes video. Returns the peer."""
    janus.ask(join | {"ptype": "publisher", "display": arguments.name})
    peer = Peer(
        f"{arguments.source} ! valve name=valve ! videoconvert ! {ENCODERS[arguments.codec]} "
        f"! application/x-rtp,media=video,encoding-name={arguments.codec},payload=96 "
        # Without lists of packets, which would be lost as a whole.
        "! identity ! webrtcbin name=peer bundle-policy=max-bundle"
    )
    _, answer = janus.ask({"request": "publish"}, peer.describe("offer"))
    peer.accept(answer)
    return peer


def lose_packets(peer, share):
    """Drops this share of the packets that are sent from now on."""
    choice = random.Random(0)

    def drop(_pad, _info):
        return Gst.PadProbeReturn.DROP if choice.random() < share else Gst.PadProbeReturn.OK

    sinks = peer.pipeline.iterate_all_by_element_factory_name("nicesink")
    while (found := sinks.next())[0] == Gst.IteratorResult.OK:
        found[1].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, drop)


def receive(arguments, janus, join):
    """Waits until another participant publishes data, and subscribes to it. Returns the peer."""
    joined, _ = janus.ask(join | {"ptype": "publisher", "display": arguments.name})
    publishers = joined["publishers"]
    deadline = time.monotonic() + TIMEOUT_S
    while not (found := [one for one in publishers if one.get("display") == arguments.receive]):
        with janus.arrived:
            janus.arrived.wait(0.1)
            data = [event.get("plugindata", {}).get("data", {}) for event in janus.events]
        publishers = [publisher for one in data for publisher in one.get("publishers", [])]
        if time.monotonic() > deadline:
            raise TimeoutError(f"{arguments.receive} publishes nothing")
    subscriber = Janus(arguments.server)
    streams = [{"feed": found[0]["id"]}]
    _, offer = subscriber.ask(join | {"ptype": "subscriber", "streams": streams})
    peer = Peer("webrtcbin name=peer bundle-policy=max-bundle")
    peer.webrtc.connect("on-data-channel", on_channel)
    # Janus sends data only to subscribers that have opened a channel.
    peer.channel = peer.webrtc.emit("create-data-channel", "JanusDataChannel", None)
    peer.accept(offer)
    subscriber.ask({"request": "start"}, peer.describe("answer"))
    return peer


def on_channel(_peer, channel):
    channel.connect("on-message-string", lambda _channel, text: print(text, flush=True))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("room", type=int)
    parser.add_argument("name")
    parser.add_argument("--source", default=DEFAULT_SOURCE)
    parser.add_argument("--codec", default="VP8", choices=ENCODERS)
    parser.add_argument("--loss", type=float, default=0)
    parser.add_argument("--pin")
    parser.add_argument("--receive")
    arguments = parser.parse_args()
    Gst.init(None)
    janus = Janus(arguments.server)
    join = {"request": "join", "room": arguments.room} | ({"pin": arguments.pin} if arguments.pin else {})
    peer = (receive if arguments.receive else publish)(arguments, janus, join)
    peer.wait_until_connected()
    if arguments.loss:
        lose_packets(peer, arguments.loss)
    print("connected", flush=True)
    for line in sys.stdin:
        if line.strip() == "leave":
            break
        valve = peer.pipeline.get_by_name("valve")
        valve.set_property("drop", line.strip() == "freeze")
    janus.end()
    # Does not wait for the pipeline: the server already knows.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
