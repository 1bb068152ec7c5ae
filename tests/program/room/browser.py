#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""A participant of a room of Janus in Chromium, until the end of standard input.

    browser.py SERVER ROOM NAME CAMERA

SERVER is the address of the WebSocket transport, and CAMERA the video of the simulated camera.
"""

import http.server
import sys
import threading

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
TIMEOUT_MS = 60_000

# Joins, publishes the camera, and returns once it is connected.
PUBLISH = """async ([server, room, display]) => {
    const socket = new WebSocket(server, "janus-protocol");
    await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
    const waiting = new Map();
    socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.janus === "ack") return;
        waiting.get(message.transaction)?.(message);
    };
    let session;
    const ask = (message) =>
        new Promise((resolve) => {
            const transaction = crypto.randomUUID();
            waiting.set(transaction, resolve);
            socket.send(JSON.stringify({ ...message, transaction, session_id: session }));
        });
    session = (await ask({ janus: "create" })).data.id;
    const handle = (await ask({ janus: "attach", plugin: "janus.plugin.videoroom" })).data.id;
    const request = (body, jsep) => ask({ janus: "message", handle_id: handle, body, jsep });
    await request({ request: "join", ptype: "publisher", room, display });
    const peer = new RTCPeerConnection();
    const camera = await navigator.mediaDevices.getUserMedia({ video: true });
    for (const track of camera.getTracks()) peer.addTrack(track, camera);
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 10));
    const { jsep } = await request({ request: "publish" }, peer.localDescription.toJSON());
    await peer.setRemoteDescription(jsep);
    while (peer.connectionState !== "connected") await new Promise((resolve) => setTimeout(resolve, 10));
    globalThis.leave = () => ask({ janus: "destroy" });
}"""


class EmptyPage(http.server.BaseHTTPRequestHandler):
    """Serves an empty page: browsers allow the camera, and connections to this machine, on pages of this machine."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_arguments):
        pass


def main():
    server, room, name, camera = sys.argv[1:]
    flags = [
        "--no-sandbox",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        pages = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage)
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{pages.server_port}/")
        page.evaluate(PUBLISH, [server, int(room), name])
        sys.stdin.read()
        page.evaluate("() => leave()")
        browser.close()


if __name__ == "__main__":
    main()
