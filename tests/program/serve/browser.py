#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Uses `gst-attitude serve` in Chromium as a visitor does, and checks what the page shows.

    browser.py PROGRAM FOLDER FACE [CAMERA...]

FOLDER contains camera.mjpeg for a simulated camera, and source.mp4 with the same video: a face that moves and changes
from neutral to positive, next to a white mark. FACE is the box of the face relative to the center of the mark: left,
top, width and height in pixels of the frame. Each CAMERA is the video of another simulated camera, whose face changes
from neutral to positive, too. Screenshots of each state are written to FOLDER. Exits with an error on a failed check.
"""

import atexit
import contextlib
import itertools
import json
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.parse

from playwright.sync_api import TimeoutError, sync_playwright

CHROMIUM = "/usr/bin/chromium"
TIMEOUT_MS = 60_000
# Maximum distance of a box from the face, as a share of its size.
MAX_SHIFT = 0.05
# Number of comparisons of boxes with the moving face.
COMPARISONS = 40
# Sizes of screens on which an interviewer sees everything without scrolling, and the maximum share of the video.
SCREENS = [(1280, 720), (1366, 650), (360, 740)]
MAX_VIDEO_SHARE = 0.45
# Maximum height of what is between the timeline and the faces.
MAX_FACES_GAP = 60
BUTTONS = ["add-note", "pause", "analysis", "hide-faces", "learn-baseline", "end"]

# Shows made trends of a sample at 0:42; returns the words, whether there is an alert, and its announcement.
SHOW_TRENDS = """async (directions) => {
    const { TrendView } = await import("/page/trend.js");
    window.trendView ??= new TrendView();
    const faces = directions.map((direction, index) => ({ person: index + 1, trend: { direction, since_ns: 2e9 } }));
    window.trendView.show({ faces }, 42e9);
    return {
        words: [...document.querySelectorAll("#trends li")].map((line) => line.textContent),
        isAlert: document.querySelector("#recent").classList.contains("alert"),
        announcement: document.querySelector("#trend-announcement").textContent,
    };
}"""

# Adds made samples of a face per track, each with a time, a track and a position; returns the persons.
JOIN_TRACKS = """async (samples) => {
    const { Persons } = await import("/page/persons.js");
    const { joining } = await (await fetch("/settings")).json();
    const persons = new Persons(joining);
    return samples.map(([time_s, track, left]) => {
        const faces = track === null ? [] : [{ track, box: [left, 100, 80, 100] }];
        return persons.add({ running_time_ns: 1e9 * time_s, width: 640, height: 360, faces }).faces[0]?.person ?? null;
    });
}"""

# Returns the boxes that were drawn, and the center of the mark in the same picture, in pixels of the frame.
DRAWN = """() => {
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

# Returns the share of equal neighbors in a row of pixels in a box, which is high if the box is pixelated.
EQUAL_NEIGHBORS = """([left, top, width, height]) => {
    const { frameWidth, frameHeight } = document.querySelector("#video-view").dataset;
    const canvas = document.querySelector("#canvas");
    const [toX, toY] = [canvas.width / frameWidth, canvas.height / frameHeight];
    const [x, y, across] = [left * toX, (top + height / 3) * toY, width * toX].map(Math.round);
    const { data } = canvas.getContext("2d").getImageData(x + 6, y, across - 12, 1);
    let alike = 0;
    for (let at = 4; at < data.length; at += 4) alike += data[at] === data[at - 4] && data[at + 1] === data[at - 3];
    return alike / (data.length / 4 - 1);
}"""


def expect(condition, message):
    if not condition:
        sys.exit(f"browser.py: {message}")


class Server:
    """A server, which can be restarted at the same address."""

    def __init__(self, program, folder, *arguments):
        self.command = [program, "serve", *arguments]
        self.log = folder / "serve.log"
        self.address = "127.0.0.1:0"
        self.start()
        atexit.register(lambda: self.process.kill())  # noqa: PLW0108 (the process may be replaced)

    def start(self):
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*self.command, f"--listen={self.address}"], stderr=log)
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while "http://" not in (output := self.log.read_text()) or not output.endswith("\n"):
            expect(self.process.poll() is None and time.monotonic() < deadline, f"the server did not start: {output}")
            time.sleep(0.05)
        self.url = next(word for word in output.split() if word.startswith("http://"))
        self.address = urllib.parse.urlsplit(self.url).netloc

    def end(self, signal=None):
        self.process.send_signal(signal) if signal else self.process.terminate()
        status = self.process.wait(TIMEOUT_MS / 1000)
        if not signal:
            expect(status == 0, f"the server ended with {status}: {self.log.read_text()}")
        expect("panicked" not in self.log.read_text(), self.log.read_text())


class Visit:
    """A page of the server in a browser context."""

    def __init__(self, browser, server, folder, context=None, **options):
        self.folder = folder
        self.context = context or browser.new_context(viewport={"width": 1280, "height": 1000}, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.errors, self.requests, self.foreign_requests = [], [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)
        self.host = urllib.parse.urlsplit(server.url).netloc
        self.page.goto(server.url)

    def _on_console(self, message):
        if "Content Security" in message.text:
            self.errors.append(message.text)

    def _on_request(self, request):
        self.requests.append(request.url)
        address = urllib.parse.urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.netloc != self.host:
            self.foreign_requests.append(request.url)

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
            sys.exit(f"browser.py: no face is {attitude}: {self.status()} {self.page.inner_text('#faces')}")
        return self

    def status(self):
        return self.page.inner_text("#status")

    def download(self, name):
        with self.page.expect_download() as download:
            self.page.click(f"[data-export={name}]")
        return pathlib.Path(download.value.path()).read_text()

    def close(self):
        expect(not self.errors, f"errors in the page: {self.errors}")
        expect(not self.foreign_requests, f"requests to other hosts: {self.foreign_requests}")
        self.context.close()


@contextlib.contextmanager
def browser_with(playwright, camera, *arguments):
    flags = ["--no-sandbox", *arguments]
    if camera:
        flags += ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"]
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield browser
    browser.close()


def check_boxes(visit, face, name):
    """Checks that the drawn box is on the face in the same picture."""
    shifts = []
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while len(shifts) < COMPARISONS:
        expect(time.monotonic() < deadline, f"{name}: found the face and its mark in only {len(shifts)} pictures")
        seen = visit.page.evaluate(DRAWN)
        if len(seen["boxes"]) == 1 and seen["mark"]:
            left, top, width, height = seen["boxes"][0]["box"]
            x, y = left - seen["mark"][0] - face[0], top - seen["mark"][1] - face[1]
            w, h = width - face[2], height - face[3]
            shifts.append(max(abs(x + w / 2) / face[2], abs(y + h / 2) / face[3]))
        visit.page.wait_for_timeout(70)
    print(f"{name}: distance of boxes: median {statistics.median(shifts):.1%}, maximum {max(shifts):.1%}")
    expect(statistics.median(shifts) < MAX_SHIFT, f"{name}: boxes are not on the face: {shifts}")


def check_camera(browser, server, folder, face):
    visit = Visit(browser, server, folder, permissions=["camera"]).start().wait("live")
    visit.sees("neutral").sees("positive")
    visit.page.locator("#faces .valence", has_text="valence +").first.wait_for()
    check_boxes(visit, face, "camera")
    visit.page.screenshot(path=folder / "live.png", full_page=True)
    check_layout(visit)

    busy = Visit(browser, server, folder, permissions=["camera"]).start().wait("full")
    expect("Retrying in" in busy.status(), busy.status())
    busy.close()
    visit.page.bring_to_front()

    visit.page.keyboard.press("n")
    visit.page.keyboard.type("what was asked <b>here</b>")
    visit.page.keyboard.press("Enter")
    visit.page.keyboard.press("h")
    visit.page.wait_for_timeout(500)
    box = visit.page.evaluate(DRAWN)["boxes"][0]["box"]
    share = visit.page.evaluate(EQUAL_NEIGHBORS, box)
    expect(share > 0.8, f"the face is not pixelated: only {share:.0%} of the neighbors are equal")
    visit.page.screenshot(path=folder / "hidden.png")
    visit.page.keyboard.press("h")
    for key, state, name, pressed in (
        ("p", "paused", "Pause", "Continue"),
        ("m", "analysis-off", "Stop analysis", "Start analysis"),
    ):
        visit.page.get_by_role("button", name=name).wait_for()
        visit.page.keyboard.press(key)
        visit.wait(state)
        visit.page.get_by_role("button", name=pressed).wait_for()
        visit.page.keyboard.press(key)
        visit.wait("live")
    visit.page.wait_for_selector("#faces li[data-person]")
    check_neutral(visit)

    server.end(signal=9)
    visit.wait("reconnecting")
    expect("session so far is kept" in visit.status(), visit.status())
    server.start()
    visit.wait("live")
    visit.sees("neutral").sees("positive")
    lines = [json.loads(line) for line in visit.download("jsonl").splitlines()]
    check_file(lines)
    csv, vtt, srt, report = (visit.download(name) for name in ("csv", "vtt", "srt", "html"))
    expect(csv.startswith("stream,") or "track" in csv.splitlines()[0], csv[:200])
    expect(vtt.startswith("WEBVTT") and "what was asked" in vtt, vtt[:200])
    expect(srt.startswith("1\n00:") and "what was asked" in srt, srt[:200])
    expect("what was asked &lt;b&gt;here" in report, "the report does not contain the escaped note")

    check_new_session(visit)
    visit.page.click("#action")
    visit.wait("live")
    server.end()
    visit.wait("shutdown")
    visit.close()


def check_neutral(visit):
    """Checks that the page learns the visitor's neutral, and shows changes against it."""
    change = visit.page.locator("#faces .change")
    expect(change.first.inner_text() == "", f"a change without a neutral: {change.first.inner_text()}")
    visit.page.get_by_role("button", name="This is my neutral").wait_for()
    visit.page.keyboard.press("b")
    change.filter(has_text="learning neutral").first.wait_for()
    visit.page.screenshot(path=visit.folder / "learning.png")
    # Learning takes 20 s with a known attitude. The face is neutral and positive in turn: the median of its valence is
    # that of one of them.
    change.filter(has_text="from neutral").first.wait_for(timeout=120_000)
    visit.page.screenshot(path=visit.folder / "neutral.png")


def check_layout(visit):
    """Checks that video, timeline and buttons are inside of small screens, and the video is not too large."""
    page = visit.page
    scrolled = page.evaluate("scrollY")
    expect(scrolled == 0, f"the page has scrolled by {scrolled} pixels since the start")
    usual = page.viewport_size
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(500)
        page.screenshot(path=visit.folder / f"live-{width}.png")
        expect(page.evaluate("document.documentElement.scrollWidth") <= width, f"wider than {width} pixels")
        parts = ["#video-view", "#recent-timeline", *(f"#{button}" for button in BUTTONS)]
        boxes = {part: page.locator(part).bounding_box() for part in parts}
        for part, box in boxes.items():
            is_inside = box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= width
            is_inside = is_inside and box["y"] + box["height"] <= height
            expect(is_inside, f"{part} is at {box} on a screen of {width}x{height}")
        video, timeline = boxes["#video-view"], boxes["#recent-timeline"]
        expect(video["height"] <= MAX_VIDEO_SHARE * height + 1, f"the video has {video['height']} of {height} pixels")
        controls = page.locator("#controls").bounding_box()
        expect(timeline["y"] + timeline["height"] <= controls["y"], f"the buttons cover the timeline: {boxes}")
        is_beside = timeline["x"] >= video["x"] + video["width"]
        expect(is_beside or width < 1024, f"the timeline is not beside the video: {boxes}")
        faces = page.locator("#faces").bounding_box()
        is_below = faces["x"] == timeline["x"] and 0 <= faces["y"] - timeline["y"] - timeline["height"] < MAX_FACES_GAP
        expect(is_below or width < 1024, f"the faces are at {faces}, not below the timeline beside the video: {boxes}")
    page.set_viewport_size(usual)


def check_made_data(browser, server, folder):
    """Checks trends and persons of made data."""
    visit = Visit(browser, server, folder).wait("ready")
    shown = visit.page.evaluate(SHOW_TRENDS, ["falling"])
    expect(shown["words"] == ["↘Person 1: turning negative for 40 s"], f"the trend is {shown}")
    expect(shown["isAlert"] and shown["announcement"] == "Person 1: turning negative.", f"no alert: {shown}")
    shown = visit.page.evaluate(SHOW_TRENDS, ["rising", "steady"])
    words = ["↗Person 1: turning positive for 40 s", "→Person 2: steady"]
    expect(shown == {"words": words, "isAlert": False, "announcement": ""}, f"the trends are {shown}")
    visit.page.get_by_label("Alert when turning negative").uncheck()
    visit.page.reload()
    visit.wait("ready")
    shown = visit.page.evaluate(SHOW_TRENDS, ["falling"])
    expect(shown["words"] and not shown["isAlert"], f"an alert although it was switched off: {shown}")

    def persons(*samples):
        return visit.page.evaluate(JOIN_TRACKS, samples)

    before = [[0, 1, 100], [0.2, 1, 100], [0.4, None, 0]]
    for name, after, expected in [
        ("returns soon", [5, 2, 110], 1),
        ("returns late", [15, 2, 110], 2),
        ("returns elsewhere", [5, 2, 200], 2),
    ]:
        result = persons(*before, after)
        expect(result == [1, 1, None, expected], f"a face that {name} is person {result}")
    result = persons([0, 1, 100], [0.2, 2, 100])
    expect(result == [1, 2], f"after a cut: {result}")
    result = persons([0, 1, 100], [5, 2, 100])
    expect(result == [1, 1], f"after a lost connection: {result}")
    visit.close()


def check_new_session(visit):
    """Checks that a new session asks before it discards notes, which CSV does not contain."""
    visit.page.keyboard.press("n")
    visit.page.keyboard.press("Enter")
    notes = visit.page.locator("#notes li span").all_inner_texts()
    expect(notes[-1] == "Bookmark", f"a note without a text is no bookmark: {notes}")
    visit.page.keyboard.press("e")
    visit.wait("ended")
    visit.download("csv")
    status = visit.page.inner_text("#download-status")
    expect("does not contain the notes" in status, status)
    visit.page.click("#new-session")
    question = visit.page.inner_text("#discard-dialog[open] #discard-text")
    expect(question == "Its notes have not been downloaded.", question)
    visit.page.click("#keep-session")
    visit.download("vtt")
    visit.page.click("#new-session")
    visit.wait("ready")


def check_file(lines):
    """Checks that the records are of one session, although the connection was interrupted."""
    notes = [line["note"] for line in lines if "note" in line]
    expect(notes == ["what was asked <b>here</b>"], f"notes are {notes}")
    # A note has the time at which it was written: the sample after it may be older.
    lines = [line for line in lines if "note" not in line]
    times = [line["running_time_ns"] for line in lines]
    expect(times == sorted(times), f"times decrease: {times}")
    gap_ns, begin = max((after - before, at) for at, (before, after) in enumerate(itertools.pairwise(times)))
    expect(gap_ns > 1e9, f"no gap while the server was down: at most {gap_ns / 1e9} s")
    parts = lines[: begin + 1], lines[begin + 1 :]
    before, after = ({face["track"] for line in part for face in line["faces"]} for part in parts)
    expect(before and after and max(before) < min(after), f"tracks are reused: {before}, {after}")


def check_refusals(playwright, program, folder):
    server = Server(program, folder)
    with browser_with(playwright, folder / "camera.mjpeg") as browser:
        visit = Visit(browser, server, folder, permissions=[]).start().wait("denied")
        expect("denied" in visit.status(), visit.status())
        visit.close()
    with browser_with(playwright, None) as browser:
        visit = Visit(browser, server, folder, permissions=["camera"]).start().wait("no-video")
        visit.close()
    server.end()


def check_token(playwright, program, folder):
    server = Server(program, folder, "--token=a-long-enough-token")
    with browser_with(playwright, None) as browser:
        page = browser.new_page()
        response = page.goto(server.url.partition("?")[0])
        expect(response.status == 401, f"status {response.status} without the token")
        text = page.inner_text("main")
        expect(text.startswith("The token is missing or wrong"), text)
        page.screenshot(path=folder / "token.png")
        page.close()
    server.end()


def check_source(playwright, program, folder, face):
    server = Server(program, folder, str(folder / "source.mp4"))
    with browser_with(playwright, None) as browser:
        visit = Visit(browser, server, folder).start().wait("live").sees("neutral")
        # Hides faces: the page draws the picture with them, so that the canvas contains the mark.
        visit.page.keyboard.press("h")
        check_boxes(visit, face, "source")
        visit.sees("positive")
        visit.wait("finished")
        expect("source.mp4 has ended" in visit.status(), visit.status())
        visit.page.get_by_role("button", name="Watch again").click()
        visit.page.click("#discard-session")
        visit.wait("live").sees("neutral")
        persons = visit.page.locator("#faces li strong").all_inner_texts()
        expect(persons == ["Person 1"], f"the new session begins with {persons}")
        visit.close()
        (folder / "source.mp4").write_text("no video " * 1000)
        visit = Visit(browser, server, folder).start().wait("unplayable")
        expect("source.mp4: " in visit.status(), visit.status())
        # The first retry would be after one second.
        visit.page.wait_for_timeout(3_000)
        attempts = sum(request.endswith("/sessions") for request in visit.requests)
        expect(attempts == 1, f"{attempts} attempts to play a file that cannot be played")
        visit.close()
    server.end()


def main():
    program, folder, face, *cameras = sys.argv[1:]
    folder, face = pathlib.Path(folder), [float(number) for number in face.split(",")]
    with sync_playwright() as playwright:
        server = Server(program, folder, "--max-sessions=1")
        with browser_with(playwright, folder / "camera.mjpeg") as browser:
            check_made_data(browser, server, folder)
            check_camera(browser, server, folder, face)
        for camera in cameras:
            server.start()
            with browser_with(playwright, camera) as browser:
                Visit(browser, server, folder, permissions=["camera"]).start().sees("neutral").sees("positive").close()
            server.end()
        check_refusals(playwright, program, folder)
        check_token(playwright, program, folder)
        check_source(playwright, program, folder, face)


if __name__ == "__main__":
    main()
