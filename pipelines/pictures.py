#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Makes the pictures of the documentation from the current build and the average faces, which are nobody's portrait.

    pictures.py BUILT [PICTURE...]

BUILT is the folder that build.sh prints. Replaces all pictures of this folder, or some of them: demo, overlay, report,
index, serve. The last three are pages in Chromium: run it with Python in the environment that `setup.sh --tests` makes,
`~/.local/share/gst-attitude/playwright`. Takes two minutes.
"""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

FOLDER = pathlib.Path(__file__).resolve().parent
FACES = FOLDER.parent / "tests/fixtures"
CHROMIUM = "/usr/bin/chromium"
# Seconds in the clip of average faces at which each of the three is seen.
DEMO_SECONDS = (3, 7, 11)
# Frames per second with which `serve` plays the clip, so slowly that the timeline has a minute.
SERVE_FRAME_RATE = "33/5"
# Seconds after the start at which notes are added there, and at which the picture is taken.
NOTE_SECONDS = (26, 48)
SERVE_SECONDS = 52
WINDOW = {"width": 1280, "height": 720}


@contextlib.contextmanager
def browser_page() -> Iterator[Page]:
    """Opens a page in a new browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page(viewport=WINDOW)
        browser.close()


class Pictures:
    """Makes pictures in `work`, a folder for temporary files."""

    def __init__(self, built: pathlib.Path, work: pathlib.Path) -> None:
        self.program = built / "gst-attitude"
        self.work = work
        self.environment = os.environ | {"GST_PLUGIN_PATH": str(built)}
        self.clip = work / "interview.mp4"
        example = [
            "cargo",
            "run",
            "--locked",
            "--quiet",
            "--package",
            "gst-attitude-pipelines",
            "--example",
            "average_faces",
        ]
        subprocess.run([*example, "--", self.clip], check=True, cwd=FOLDER)

    def launch(self, pipeline: str) -> None:
        """Runs a pipeline to its end."""
        subprocess.run(["gst-launch-1.0", "--quiet", *pipeline.split()], check=True, env=self.environment)

    def demo(self) -> None:
        """Three frames with the overlay, beside each other."""
        self.launch(f"""filesrc location={self.clip} ! decodebin ! videoconvert ! faceattitude mode=sync overlay=true
            ! videorate ! video/x-raw,framerate=1/1 ! videoconvert ! videoscale ! video/x-raw,width=480,height=270
            ! pngenc ! multifilesink location={self.work}/demo-%d.png""")
        frames = [self.work / f"demo-{seconds}.png" for seconds in DEMO_SECONDS]
        self.join(frames, 480, 0, "demo.png")

    def overlay(self) -> None:
        """Two faces with other properties of the overlay."""
        for name, properties in [("positive", "scores=true"), ("negative", "scores=true blur-faces=true")]:
            self.launch(f"""filesrc location={FACES / name}.png ! pngdec ! imagefreeze num-buffers=75 ! videoscale
                ! video/x-raw,width=220,height=220,framerate=25/1 ! videobox left=-90 right=-90 top=-70 bottom=-70
                ! videoconvert ! faceattitude mode=sync ! attitudeoverlay {properties} ! videorate
                ! video/x-raw,framerate=1/2 ! videoconvert ! pngenc
                ! multifilesink max-files=1 location={self.work}/{name}-%d.png""")
        faces = [next(self.work.glob(f"{name}-*.png")) for name in ("positive", "negative")]
        self.join(faces, 400, 10, "overlay.png")

    def join(self, pictures: list[pathlib.Path], width: int, gap: int, name: str) -> None:
        """Writes pictures of one width beside each other."""
        positions = " ".join(f"sink_{n}::xpos={n * (width + gap)}" for n in range(len(pictures)))
        sources = " ".join(f"filesrc location={picture} ! pngdec ! all.sink_{n}" for n, picture in enumerate(pictures))
        self.launch(f"""compositor name=all background=white {positions} ! videoconvert ! video/x-raw,format=RGB
            ! pngenc snapshot=true ! filesink location={FOLDER / name} {sources}""")

    def analyze(self) -> pathlib.Path:
        """Analyzes recordings, two of which are incomplete; returns the folder of the results."""
        results = self.work / "results"
        if results.exists():
            return results
        recordings = self.work / "recordings"
        recordings.mkdir()
        (recordings / "interview.mp4").symlink_to(self.clip)
        self.launch(f"""compositor name=all sink_1::xpos=640 ! video/x-raw,width=1280,height=360 ! videoconvert
            ! x264enc ! mp4mux ! filesink location={recordings}/panel.mp4
            filesrc location={self.clip} ! decodebin ! tee name=clip
            clip. ! queue ! all.sink_0 clip. ! queue ! videoflip method=horizontal-flip ! all.sink_1""")
        self.launch(f"""filesrc location={self.clip} ! decodebin ! videoconvert ! x264enc ! matroskamux
            ! filesink location={recordings}/standup.mkv""")
        whole = (recordings / "standup.mkv").read_bytes()
        (recordings / "standup.mkv").write_bytes(whole[: len(whole) * 3 // 5])
        (recordings / "lost.mp4").write_bytes(bytes(range(256)) * 40)
        # Exits with an error, because a recording has failed.
        subprocess.run([self.program, "analyze", recordings, "-o", results], check=False, env=self.environment)
        return results

    def report(self) -> None:
        """The timeline and the table of a person, beside the recording."""
        with browser_page() as page:
            page.set_viewport_size({"width": 1180, "height": 816})
            page.goto((self.analyze() / "interview/report.html").as_uri())
            page.evaluate("""async () => {
                const video = document.querySelector("video");
                video.controls = false;
                video.currentTime = 5;
                await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
                for (const details of document.querySelectorAll("details")) details.open = true;
            }""")
            page.get_by_role("heading", name="Persons").evaluate("""(heading) =>
                scrollTo(0, heading.getBoundingClientRect().top + scrollY - 80)""")
            page.wait_for_timeout(1000)
            page.screenshot(path=FOLDER / "report.png")

    def index(self) -> None:
        """The table of the recordings."""
        with browser_page() as page:
            page.set_viewport_size({"width": 1280, "height": 600})
            page.goto((self.analyze() / "index.html").as_uri())
            page.screenshot(path=FOLDER / "index.png")

    def serve(self) -> None:
        """The live page after a minute, with two notes."""
        slow = self.work / "slow/interview.mp4"
        slow.parent.mkdir()
        self.launch(f"""filesrc location={self.clip} ! decodebin ! videoconvert ! jpegenc quality=95
            ! multifilesink location={self.work}/slow/%d.jpg""")
        self.launch(f"""multifilesrc location={self.work}/slow/%d.jpg caps=image/jpeg,framerate={SERVE_FRAME_RATE}
            ! jpegdec ! videorate ! video/x-raw,framerate=30/1 ! videoconvert ! x264enc ! mp4mux
            ! filesink location={slow}""")
        command = [self.program, "serve", slow, "--listen=127.0.0.1:0"]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=self.environment)
        try:
            assert server.stderr
            address = next(filter(None, (re.search(r"http://\S+", line) for line in server.stderr)))
            with browser_page() as page:
                page.goto(address[0])
                page.locator("#action").click()
                page.locator("#controls").wait_for()
                seconds = 0
                for note in NOTE_SECONDS:
                    page.wait_for_timeout(1000 * (note - seconds))
                    page.keyboard.press("n")
                    page.keyboard.press("Enter")
                    seconds = note
                page.wait_for_timeout(1000 * (SERVE_SECONDS - seconds))
                page.screenshot(path=FOLDER / "serve.png")
        finally:
            server.terminate()
            server.wait()


def main() -> None:
    names = ["demo", "overlay", "report", "index", "serve"]
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(names):
        sys.exit(f"usage: pictures.py BUILT [PICTURE...]; pictures: {', '.join(names)}")
    with tempfile.TemporaryDirectory() as work:
        pictures = Pictures(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(work))
        for name in sys.argv[2:] or names:
            getattr(pictures, name)()
            print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
