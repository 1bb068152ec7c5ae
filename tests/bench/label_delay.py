#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Measures the glass-to-label latency of `gst-attitude serve`, from the camera to the attitude in the web page.

    tests/bench/label_delay.py [--seconds N] [--output FOLDER]

Builds the program and opens its page in Chromium on the same machine, with a simulated camera that shows average faces
at 640x360 and 30 frames per second, and five samples per second. Measures the time from the capture of each sampled
frame to the first picture that is drawn with its results. Prints a Markdown table and writes it to label_delay.md in
the output folder (default: output/bench).

Requires what `pipelines/setup.sh --tests` installs; restarts itself with the Python that has Playwright.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import build

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share")
PLAYWRIGHT = DATA / "gst-attitude/playwright/bin/python"
FRAMES_PER_SECOND = 30

# Records the delay from the capture time in each sample's record to the first drawing with it.
RECORD_DELAYS = """() => {
    window.delays = [];
    let pending = [];
    const add = RTCPeerConnection.prototype.addEventListener;
    const watch = ({ channel }) => {
        if (channel.label !== "samples") return;
        channel.addEventListener("message", ({ data }) => {
            const { utc, faces } = JSON.parse(data);
            if (utc && faces.length > 0 && faces[0].fresh) pending.push(Date.parse(utc) - faces[0].age_ns / 1e6);
        });
    };
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...options) {
            super(...options);
            add.call(this, "datachannel", watch);
        }
    };
    addEventListener("DOMContentLoaded", () => {
        const drawn = () => {
            const captured = pending;
            pending = [];
            requestAnimationFrame(() => captured.forEach((time) => window.delays.push(Date.now() - time)));
        };
        new MutationObserver(drawn).observe(document.querySelector("#video-view"), { attributeFilter: ["data-boxes"] });
    });
}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "output/bench")
    arguments = parser.parse_args()
    if "playwright" not in sys.executable:
        os.execv(PLAYWRIGHT, [PLAYWRIGHT, *sys.argv])
    sys.path.insert(0, str(ROOT / "tests/program/serve"))
    from browser import Server, Visit, browser_with, sync_playwright

    release = build.release("--workspace", "--bin=gst-attitude", "--example=average_faces")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = pathlib.Path(name)
        subprocess.run([release / "examples/average_faces", folder / "faces.mp4"], check=True)
        convert = (
            f"filesrc location={folder}/faces.mp4 ! decodebin ! videoconvert ! videorate "
            f"! video/x-raw,format=I420,framerate={FRAMES_PER_SECOND}/1 ! jpegenc "
            f"! filesink location={folder}/faces.mjpeg"
        )
        subprocess.run(["gst-launch-1.0", "-q", *convert.split()], check=True)
        server = Server(release / "gst-attitude", folder)
        with browser_with(playwright, folder / "faces.mjpeg") as browser:
            context = browser.new_context(permissions=["camera"])
            context.add_init_script(f"({RECORD_DELAYS})()")
            visit = Visit(browser, server, folder, context=context).start().wait("live")
            visit.page.wait_for_timeout(5_000)
            visit.page.evaluate("() => { window.delays.length = 0 }")
            visit.page.wait_for_timeout(1_000 * arguments.seconds)
            delays_ms = visit.page.evaluate("() => window.delays")
            facts = visit.page.inner_text("#statistics").replace("\n", " ")
            visit.close()
        server.end()
    cut = statistics.quantiles(delays_ms, n=100)
    text = (
        "| samples | median | p95 | p99 | maximum |\n|---|---|---|---|---|\n"
        f"| {len(delays_ms)} | {cut[49]:.0f} ms | {cut[94]:.0f} ms | {cut[98]:.0f} ms | {max(delays_ms):.0f} ms |\n"
        f"\n{facts}\n"
    )
    print(text, end="")
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "label_delay.md").write_text(text)


if __name__ == "__main__":
    main()
