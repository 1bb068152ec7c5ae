#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Reviews a recording in Chromium by keyboard alone, and checks what is saved.

    browser.py URL FOLDER

URL is the address that `gst-attitude review` printed, FOLDER the results of its only recording. Exits with an error on
a failed check.
"""

import contextlib
import json
import pathlib
import sys
import tomllib

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
HOSTILE = "\"'><img src=x onerror=alert(1)> \\ \u00e9"


def expect(condition, message):
    if not condition:
        sys.exit(f"browser.py: {message}")


class Review:
    """A report page, and the file that it saves."""

    def __init__(self, context, url, folder):
        self.path, self.errors = folder / "corrections.toml", []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)
        self.wait_for_list()

    def wait_for_list(self):
        self.page.get_by_role("listbox", name="Segments").wait_for()
        self.wait(lambda: self.page.evaluate("document.activeElement.role") == "listbox", "the list has no focus")

    def wait(self, condition, problem):
        for _ in range(300):
            if condition():
                return
            self.page.wait_for_timeout(50)
        expect(False, f"{problem}; {self.status()}")

    def status(self):
        return self.page.locator("p.status").inner_text()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text):
        self.page.keyboard.insert_text(text)
        self.press("Enter")

    def file(self):
        return tomllib.loads(self.path.read_text()) if self.path.exists() else {}

    def wait_for_file(self, condition, problem):
        self.wait(lambda: condition(self.file()), f"{problem}: {self.file()}")


def options(page):
    return [option.inner_text() for option in page.get_by_role("option").all() if option.get_attribute("id")]


def review(one):
    page = one.page
    # The clip has a second of each attitude; the first segment is selected.
    names = [text.split()[-1] for text in options(page)]
    expect(len(names) >= 2 and names[0] == "positive", f"segments are {names}")
    one.press("3")
    one.wait_for_file(lambda file: file.get("attitude", [{}])[0].get("attitude") == "negative", "no attitude")
    expect("corrected" in options(page)[0], f"the list shows {options(page)}")
    entry = one.file()["attitude"][0]
    expect(entry["person"] == 1 and entry["start"] == "0:00", f"the entry is {entry}")
    expect(one.file()["person"][0]["seen"]["time"] == "0:00", "the person cannot be found again")

    one.press("n")
    one.type(HOSTILE)
    one.wait_for_file(lambda file: file["person"][0].get("name") == HOSTILE, "no name")
    one.press("p")
    one.type("P01")
    one.wait_for_file(lambda file: file["person"][0].get("participant") == "P01", "no participant")

    # The second segment: excluded, and included again by undoing it.
    one.press("Home", "ArrowDown", "x")
    one.wait_for_file(lambda file: len(file.get("exclude", [])) == 1, "no exclusion")
    one.press("Control+z")
    one.wait_for_file(lambda file: "exclude" not in file, "no undo")
    one.press("t")
    one.type("laughs")
    one.wait_for_file(lambda file: file.get("note", [{}])[0].get("text") == "laughs", "no note")
    one.press("e", "Escape", "e")
    one.type("question 1")
    one.wait_for_file(lambda file: file.get("event", [{}])[0].get("name") == "question 1", "no event")
    # The recording is at the start of the segment, not at the tenth of a second before.
    start, event = options(page)[1].split()[0], one.file()["event"][0]["time"]
    expect(start.startswith(event), f"the event is at {event}, the segment at {start}")
    one.press("s")
    one.wait_for_file(lambda file: file.get("split", [{}])[0].get("number") == 2, "no split")

    # The figures show it after an update, and the merge makes one person of the two again.
    one.press("r")
    page.get_by_role("heading", name="Person 2").wait_for()
    one.wait_for_list()
    one.press("Home", "m")
    one.type("2")
    one.wait_for_file(lambda file: file.get("merge") == [{"person": 1, "with": [2]}], "no merge")
    one.press("r")
    page.get_by_role("heading", name="Person 2").wait_for(state="detached")
    one.wait_for_list()
    heading = page.locator("article h3").inner_text()
    expect(heading == f"{HOSTILE} (participant P01)", f"the heading is {heading}")
    expect(page.locator("img").count() == 0, "a name became an element")
    expect(not one.errors, f"errors: {one.errors}")


def check_conflict(one, other):
    """Checks that a page that was loaded before another saved loses nothing."""
    one.press("Home", "1")
    one.wait(lambda: one.status().startswith("Saved"), "the first page does not save")
    saved = one.path.read_text()
    other.press("Home", "2")
    other.wait(lambda: "load it again" in other.status(), "the second page does not say that the file changed")
    expect(one.path.read_text() == saved, "the second page overwrote the first one's changes")


def check_download(context, folder):
    """Checks the editor of a page that is opened as a file."""
    page = context.new_page()
    page.goto((folder / "report.html").as_uri())
    page.get_by_role("listbox", name="Segments").focus()
    page.keyboard.press("3")
    with page.expect_download() as download:
        page.keyboard.press("d")
    file = tomllib.loads(pathlib.Path(download.value.path()).read_text())
    expect(download.value.suggested_filename == "corrections.toml", "the file has another name")
    expect(file["attitude"][-1]["attitude"] == "negative", f"downloaded {file}")
    expect(file["person"][0]["name"] == HOSTILE, f"downloaded {file}")


def main():
    url, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with (
        sync_playwright() as playwright,
        contextlib.closing(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])) as browser,
    ):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        one = Review(context, url, folder)
        review(one)
        summary = json.loads((folder / "summary.json").read_text())
        expect(summary["persons"][0]["name"] == HOSTILE, "the summary has no name")
        expect(summary["persons"][0]["segments"][0]["attitude"] == "negative", "the summary is not corrected")
        check_conflict(one, Review(context, one.page.url, folder))
        check_download(context, folder)


main()
