#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Sends the simulated camera of Chromium by WHIP, and checks that the server analyzes it.

whip.py ENDPOINT TOKEN
"""

import http.server
import json
import sys
import threading
import time
import urllib.request

from playwright.sync_api import sync_playwright

PATIENCE_S = 60
OPTIONS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

# Opens a session as WHIP describes it; the page belongs to another site than the server.
OPEN = """async ([endpoint, token]) => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
    const connection = (window.connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
    for (const track of stream.getTracks()) connection.addTransceiver(track, { direction: "sendonly" });
    await connection.setLocalDescription();
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" };
    const { sdp } = connection.localDescription;
    const response = await fetch(endpoint, { method: "POST", headers, body: sdp });
    const answer = await response.text();
    if (response.status !== 201) throw new Error(`${response.status}: ${answer}`);
    await connection.setRemoteDescription({ type: "answer", sdp: answer });
    window.session = new URL(response.headers.get("Location"), endpoint).href;
    return { tag: response.headers.get("ETag"), audio: connection.getTransceivers()[0].currentDirection };
}"""

# Returns the number of frames that the browser has sent.
SENT = """async () => {
    const reports = [...(await window.connection.getStats()).values()];
    return reports.find(({ type, kind }) => type === "outbound-rtp" && kind === "video")?.framesEncoded ?? 0;
}"""

CLOSE = """async (token) => {
    const response = await fetch(window.session, { method: "DELETE", headers: { Authorization: `Bearer ${token}` } });
    return response.status;
}"""


def expect(condition, message):
    if not condition:
        sys.exit(f"whip.py: {message}")


class OtherSite(http.server.BaseHTTPRequestHandler):
    """A page that contains nothing."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_):
        pass


def frames(endpoint, token):
    """Returns the number of frames that the server has analyzed."""
    url = endpoint.replace("/whip", "/metrics")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as response:
        lines = response.read().decode().splitlines()
    return next(int(line.split()[-1]) for line in lines if line.startswith("gst_attitude_frames_total"))


endpoint, token = sys.argv[1:]
site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherSite)
threading.Thread(target=site.serve_forever, daemon=True).start()
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{site.server_port}/")
    opened = page.evaluate(OPEN, [endpoint, token])
    expect(opened["tag"], f"no ETag: {json.dumps(opened)}")
    expect(opened["audio"] == "inactive", f"the sound is {opened['audio']}")
    deadline = time.monotonic() + PATIENCE_S
    while frames(endpoint, token) < 10:
        expect(time.monotonic() < deadline, f"no frame arrives; {page.evaluate(SENT)} were sent")
        time.sleep(0.2)
    expect(page.evaluate(CLOSE, token) == 200, "the session does not end")
    browser.close()
