#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Visits `gst-attitude serve` in Chromium, as people do, and checks what they find.

    browser.py PROGRAM FOLDER FACE [CAMERA...]

FOLDER holds camera.mjpeg, for a camera, and source.mp4, the same: a face that moves and goes from neutral to positive,
with a white mark beside it. FACE is the face's box from the middle of the mark: left, top, width, height in pixels of the
frame. Each further CAMERA is one whose face goes from neutral to positive, too. Pictures of each state are left in FOLDER.
What is wrong ends it with an error.
"""

import atexit
import contextlib
import json
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.parse

from playwright.sync_api import TimeoutError, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# A test that waits for it fails instead of hanging.
PATIENCE_MS = 60_000
# How far a box may be off, as a share of its size.
MAX_SHIFT = 0.05
# Looks at a moving face.
LOOKS = 40

# What the stage says that it has drawn, and where the mark is in the same picture; all in pixels of the frame.
LOOK = """() => {
    const stage = document.querySelector("#video-view");
    const { boxes, frameWidth, frameHeight } = stage.dataset;
    const canvas = document.querySelector("#canvas");
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    let [count, x, y] = [0, 0, 0];
    for (let at = 0; at < data.length; at += 4) {
        if (Math.min(data[at], data[at + 1], data[at + 2]) < 250 || data[at + 3] < 255) continue;
        count += 1;
        x += (at / 4) % width;
        y += Math.floor(at / 4 / width);
    }
    return {
        boxes: JSON.parse(boxes ?? "[]"),
        mark: count && [((x / count + 0.5) * frameWidth) / width, ((y / count + 0.5) * frameHeight) / height],
    };
}"""

# Whether what lies in a box of the frame is coarse: neighbours in a row of the middle that are alike.
COARSE = """([left, top, width, height]) => {
    const { frameWidth, frameHeight } = document.querySelector("#video-view").dataset;
    const canvas = document.querySelector("#canvas");
    const [toX, toY] = [canvas.width / frameWidth, canvas.height / frameHeight];
    const [x, y, across] = [left * toX, (top + height / 3) * toY, width * toX].map(Math.round);
    const { data } = canvas.getContext("2d").getImageData(x + 6, y, across - 12, 1);
    let alike = 0;
    for (let at = 4; at < data.length; at += 4) alike += data[at] === data[at - 4] && data[at + 1] === data[at - 3];
    return alike / (data.length / 4 - 1);
}"""


def expect(holds, told):
    if not holds:
        sys.exit(f"browser.py: {told}")


class Server:
    """The program while it serves; again at the same address after it has ended."""

    def __init__(self, program, folder, *arguments):
        self.command = [program, "serve", *arguments]
        self.log = folder / "serve.log"
        self.address = "127.0.0.1:0"
        self.start()
        atexit.register(lambda: self.process.kill())

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*self.command, f"--listen={self.address}"], stderr=log)
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while "http://" not in (said := self.log.read_text()) or not said.endswith("\n"):
            expect(self.process.poll() is None and time.monotonic() < deadline, f"no server: {said}")
            time.sleep(0.05)
        self.url = next(word for word in said.split() if word.startswith("http://"))
        self.address = urllib.parse.urlsplit(self.url).netloc

    def end(self, signal=None):
        self.process.send_signal(signal) if signal else self.process.terminate()
        status = self.process.wait(PATIENCE_MS / 1000)
        if not signal:
            expect(status == 0, f"the server ended with {status}: {self.log.read_text()}")
        expect("panicked" not in self.log.read_text(), self.log.read_text())


class Visit:
    """A page of the server."""

    def __init__(self, browser, server, folder, context=None, **options):
        self.folder = folder
        self.context = context or browser.new_context(viewport={"width": 1280, "height": 1000}, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints, self.strangers = [], []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: "Content Security" in message.text and self.complaints.append(message.text))
        self.page.on("request", self._on_request)
        self.host = urllib.parse.urlsplit(server.url).netloc
        self.page.goto(server.url)

    def _on_request(self, request):
        address = urllib.parse.urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self.host:
            self.strangers.append(request.url)

    def wait(self, state):
        self.page.wait_for_selector(f"body[data-state={state}]")
        self.page.screenshot(path=self.folder / f"{state}.png")
        return self

    def start(self):
        self.wait("ready").page.click("#action")
        return self

    def sees(self, attitude):
        try:
            self.page.wait_for_selector(f"#faces li[data-attitude={attitude}]")
        except TimeoutError:
            sys.exit(f"browser.py: nothing {attitude}, but: {self.status()} {self.page.inner_text('#faces')}")
        return self

    def status(self):
        return self.page.inner_text("#status")

    def download(self, name):
        with self.page.expect_download() as download:
            self.page.click(f"[data-export={name}]")
        return pathlib.Path(download.value.path()).read_text()

    def close(self):
        expect(not self.complaints, f"the page complains: {self.complaints}")
        expect(not self.strangers, f"the page asks others: {self.strangers}")
        self.context.close()


@contextlib.contextmanager
def browser_with(playwright, camera, *arguments):
    flags = ["--no-sandbox", *arguments]
    if camera:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield browser
    browser.close()


def check_boxes(visit, face, told):
    """The box lies on the face of the very picture that is shown."""
    shifts = []
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while len(shifts) < LOOKS:
        expect(time.monotonic() < deadline, f"{told}: the face and its mark are seen in {len(shifts)} pictures only")
        seen = visit.page.evaluate(LOOK)
        if len(seen["boxes"]) == 1 and seen["mark"]:
            left, top, width, height = seen["boxes"][0]["box"]
            x, y = left - seen["mark"][0] - face[0], top - seen["mark"][1] - face[1]
            w, h = width - face[2], height - face[3]
            shifts.append(max(abs(x + w / 2) / face[2], abs(y + h / 2) / face[3]))
        visit.page.wait_for_timeout(70)
    print(f"{told}: boxes are off by {statistics.median(shifts):.1%} in the median, {max(shifts):.1%} at most")
    expect(statistics.median(shifts) < MAX_SHIFT, f"{told}: boxes are not on the face: {shifts}")


def check_camera(browser, server, folder, face):
    visit = Visit(browser, server, folder, permissions=["camera"]).start().wait("live")
    visit.sees("neutral").sees("positive")
    check_boxes(visit, face, "camera")
    visit.page.screenshot(path=folder / "live.png", full_page=True)

    busy = Visit(browser, server, folder, permissions=["camera"]).start().wait("full")
    expect("Retrying in" in busy.status(), busy.status())
    busy.close()
    visit.page.bring_to_front()

    visit.page.keyboard.press("n")
    visit.page.keyboard.type("what was asked <b>here</b>")
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("h")
    visit.page.wait_for_timeout(500)
    box = visit.page.evaluate(LOOK)["boxes"][0]["box"]
    coarse = visit.page.evaluate(COARSE, box)
    expect(coarse > 0.8, f"the face is hidden by blocks, but {coarse:.0%} of the neighbours are alike")
    visit.page.screenshot(path=folder / "hidden.png")
    visit.page.keyboard.press("h")
    for key, state in (("p", "paused"), ("m", "analysis-off")):
        visit.page.keyboard.press(key)
        visit.wait(state)
        visit.page.keyboard.press(key)
        visit.wait("live")
    visit.page.wait_for_selector("#faces li[data-track]")

    server.end(signal=9)
    visit.wait("reconnecting")
    expect("session so far is kept" in visit.status(), visit.status())
    server.start()
    visit.wait("live")
    visit.sees("neutral").sees("positive")
    lines = [json.loads(line) for line in visit.download("jsonl").splitlines()]
    check_file(lines)
    csv, vtt, report = (visit.download(name) for name in ("csv", "vtt", "html"))
    expect(csv.startswith("stream,") or "track" in csv.splitlines()[0], csv[:200])
    expect(vtt.startswith("WEBVTT") and "what was asked" in vtt, vtt[:200])
    expect("what was asked &lt;b&gt;here" in report, "the report has no note, or does not escape it")

    server.end()
    visit.wait("shutdown")
    visit.close()


def check_file(lines):
    """One session, whatever happened to the connection."""
    expect([line["note"] for line in lines if "note" in line] == ["what was asked <b>here</b>"], "the note is not there once")
    # A note is of the moment when it is written: a sample that is on its way then may be older.
    lines = [line for line in lines if "note" not in line]
    times = [line["running_time_ns"] for line in lines]
    expect(times == sorted(times), f"times go back: {times}")
    gap_ns, begin = max((after - before, at) for at, (before, after) in enumerate(zip(times, times[1:])))
    expect(gap_ns > 1e9, f"the time without a server is not a gap: at most {gap_ns / 1e9} s")
    tracks = [{face["track"] for line in part for face in line["faces"]} for part in (lines[: begin + 1], lines[begin + 1 :])]
    expect(tracks[0] and tracks[1] and max(tracks[0]) < min(tracks[1]), f"tracks are used again: {tracks}")


def check_refusals(playwright, program, folder):
    server = Server(program, folder)
    with browser_with(playwright, folder / "camera.mjpeg") as browser:
        visit = Visit(browser, server, folder, permissions=[]).start().wait("denied")
        expect("denied" in visit.status(), visit.status())
        visit.close()
    with browser_with(playwright, None) as browser:
        visit = Visit(browser, server, folder, permissions=["camera"]).start().wait("no-camera")
        visit.close()
    server.end()


def check_source(playwright, program, folder, face):
    server = Server(program, folder, str(folder / "source.mp4"))
    with browser_with(playwright, None) as browser:
        visit = Visit(browser, server, folder).start().wait("live").sees("neutral")
        # Hidden faces are drawn with the picture that they are in, so that the mark can be seen.
        visit.page.keyboard.press("h")
        check_boxes(visit, face, "source")
        visit.sees("positive")
        visit.wait("ended")
        expect("source.mp4 has come to its end" in visit.status(), visit.status())
        visit.close()
    server.end()


def main():
    program, folder, face, *cameras = sys.argv[1:]
    folder, face = pathlib.Path(folder), [float(number) for number in face.split(",")]
    with sync_playwright() as playwright:
        server = Server(program, folder, "--max-sessions=1")
        with browser_with(playwright, folder / "camera.mjpeg") as browser:
            check_camera(browser, server, folder, face)
        for camera in cameras:
            server.start()
            with browser_with(playwright, camera) as browser:
                Visit(browser, server, folder, permissions=["camera"]).start().sees("neutral").sees("positive").close()
            server.end()
        check_refusals(playwright, program, folder)
        check_source(playwright, program, folder, face)


if __name__ == "__main__":
    main()
