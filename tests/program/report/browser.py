#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Opens the pages that browser.rs has made in Chromium, without a network, and checks what a user finds.

    browser.py FOLDER HOSTILE

FOLDER holds clip.html, long.html, broken.html, noted.html, HOSTILE.html and index.html. What is wrong ends it with an error.
"""

import contextlib
import pathlib
import statistics
import sys
import urllib.parse

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
# From a click until the playheads are seen elsewhere, in the median.
MAX_SEEK_MS = 200

# Notes of each press of the pointer how long it takes until the page has been drawn anew.
NOTE_TIMES = """() => {
    const frame = () => new Promise(requestAnimationFrame);
    window.times = [];
    addEventListener("pointerdown", async () => {
        const before = performance.now();
        await frame();
        await frame();
        window.times.push(performance.now() - before);
    }, true);
}"""

# Texts whose contrast is less than WCAG's AA asks for, with the colours.
FAINT = """() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (color) => {
        const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if ((channels(color)[3] ?? 1) > 0) return color;
        }
        return "rgb(255, 255, 255)";
    };
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, svg")) continue;
        const [text, paper] = [getComputedStyle(element).color, ground(element)];
        const [light, dark] = [luminance(text), luminance(paper)].sort((a, b) => b - a);
        const contrast = (light + 0.05) / (dark + 0.05);
        if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${text} on ${paper}: ${walker.currentNode.data.slice(0, 40)}`);
    }
    return faint;
}"""


def expect(holds, told):
    if not holds:
        sys.exit(f"browser.py: {told}")


class Page:
    """A page, and what it asked for and complained of."""

    def __init__(self, context, folder, name):
        self.address = f"{folder.as_uri()}/{urllib.parse.quote(name)}"
        self.requests, self.complaints = [], []
        self.page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.goto(self.address)

    def close(self, *recordings):
        """Checks that nothing but these was asked for, and that nothing was wrong."""
        recordings = [urllib.parse.quote(name, safe="") for name in recordings]
        others = {url for url in self.requests if url != self.address and not url.startswith("data:")}
        others = {url for url in others if url.rsplit("/", 1)[1] not in recordings}
        expect(not others, f"{self.address} asked for {others}")
        expect(not self.complaints, f"{self.address} complained: {self.complaints}")
        self.page.close()

    def wait_for(self, condition):
        """Playwright's own way is to evaluate within the page, which its policy forbids."""
        for _ in range(300):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        expect(False, f"{self.address}: never {condition}")

    def time(self):
        return self.page.evaluate("document.querySelector('video').currentTime")

    def place(self):
        """Where all playheads are, 0 to 1."""
        places = self.page.evaluate(
            """() => [...document.querySelectorAll(".playhead")].map((playhead) =>
                new DOMMatrix(getComputedStyle(playhead).transform).e / playhead.parentElement.clientWidth)"""
        )
        expect(max(places) - min(places) < 0.01, f"playheads are apart: {places}")
        return places[0]

    def expect_at(self, seconds, after):
        # Clicks hit a pixel, which is not a whole second.
        self.wait_for("!document.querySelector('video').seeking")
        expect(abs(self.time() - seconds) < 0.1, f"at {self.time()} and not {seconds} after {after}")
        expect(abs(self.place() - seconds / 20) < 0.01, f"playhead at {self.place()} after {after}")


def check_clip(page):
    """Twenty seconds: neutral, from 8 positive, from 12 away, from 16 negative; another one from 10 on."""
    document = page.page
    page.wait_for("document.querySelector('video').readyState >= 2")
    sliders = document.get_by_role("slider")
    names = [slider.get_attribute("aria-label") for slider in sliders.all()]
    expect(names == ["Timeline of all faces", "Timeline of Person 1", "Timeline of Person 2"], f"sliders are {names}")
    person = document.get_by_role("slider", name="Person 1")
    width = person.bounding_box()["width"]
    person.click(position={"x": 0.5 * width + 1, "y": 40})
    page.expect_at(10, "a click")
    told = person.get_attribute("aria-valuetext")
    expect(told == "0:10 of 0:20, positive", f"the slider says {told}")
    for key, seconds in [
        ("ArrowRight", 11), ("ArrowUp", 12), ("ArrowLeft", 11), ("ArrowDown", 10), ("PageDown", 0), ("PageUp", 10),
        ("End", 20), ("Home", 0),
    ]:
        person.press(key)
        page.expect_at(seconds, key)
    person.press("PageUp")
    for _ in range(4):
        person.press("ArrowRight")
    told = person.get_attribute("aria-valuetext")
    expect(told == "0:14 of 0:20, not seen", f"the slider says {told} in a gap")

    changes = document.get_by_role("table", name="Changes of Person 1").get_by_role("link")
    expect(changes.all_inner_texts() == ["0:08.0"], f"changes at {changes.all_inner_texts()}")
    changes.first.click()
    page.expect_at(8, "a click on a change")
    changes.first.focus()
    document.keyboard.press("Enter")
    page.expect_at(8, "Enter on a change")

    before = page.place()
    document.evaluate("document.querySelector('video').muted = true; document.querySelector('video').play()")
    page.wait_for("document.querySelector('video').currentTime > 9")
    document.evaluate("document.querySelector('video').pause()")
    document.wait_for_timeout(100)
    expect(page.place() > before + 0.04, "the playhead does not follow")
    expect(abs(page.place() - page.time() / 20) < 0.01, "the playhead is not where the recording is")

    check_structure(document)


def check_structure(document):
    """What a screen reader goes by."""
    levels = document.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))")
    steps = [after - before for before, after in zip(levels, levels[1:])]
    expect(levels[0] == 1 and levels.count(1) == 1 and max(steps) <= 1, f"headings are {levels}")
    nodes = document.context.new_cdp_session(document).send("Accessibility.getFullAXTree")["nodes"]
    nodes = [node for node in nodes if not node["ignored"]]
    roles = {node["role"]["value"] for node in nodes}
    wanted = {"banner", "main", "complementary", "contentinfo", "region", "slider", "table", "note"}
    expect(wanted <= roles, f"no {wanted - roles} among the roles")
    for node in nodes:
        role = node["role"]["value"]
        if role in {"slider", "link", "button", "table", "region", "image", "img", "article", "Video", "heading"}:
            expect(node.get("name", {}).get("value"), f"a {role} has no name: {node}")


def check_long(page):
    page.page.evaluate(NOTE_TIMES)
    slider = page.page.get_by_role("slider", name="Person 5")
    slider.scroll_into_view_if_needed()
    width = slider.bounding_box()["width"]
    for clicks, place in enumerate([0.9, 0.1, 0.5, 0.7, 0.3, 0.6, 0.2], start=1):
        slider.click(position={"x": place * width, "y": 40})
        page.wait_for(f"window.times.length == {clicks}")
        expect(abs(page.place() - place) < 0.01, f"the playheads are at {page.place()} after a click at {place}")
    times = page.page.evaluate("window.times")
    told = f"two hours, ten persons: drawn anew {statistics.median(times):.0f} ms after a click, {max(times):.0f} at most"
    expect(statistics.median(times) < MAX_SEEK_MS, told)
    print(told)


def check_noted(page, hostile):
    """The clip, with a hostile note at 3, and two at 9 that share a mark."""
    document = page.page
    page.wait_for("document.querySelector('video').readyState >= 2")
    table = document.get_by_role("table", name="Notes")
    rows = [row.get_by_role("cell").all_inner_texts() for row in table.get_by_role("row").all()[1:]]
    expected = [["1", "0:03.0", hostile, "neutral"], ["2", "0:09.0", "second", "positive"], ["3", "0:09.1", "\u202ethird", "positive"]]
    expect(rows == expected, f"notes are {rows}")
    expect(document.locator("img, [onerror]").count() == 0, "a note became an element")
    first = table.get_by_role("link").first
    first.click()
    page.expect_at(3, "a click on a note")
    document.get_by_role("slider").first.press("End")
    first.focus()
    document.keyboard.press("Enter")
    page.expect_at(3, "Enter on a note")
    document.keyboard.press("Tab")
    focused = document.evaluate("document.activeElement.textContent")
    expect(focused == "0:09.0", f"after the first note Tab leads to {focused}")

    for slider in document.get_by_role("slider").all():
        numbers = slider.locator(".marks text").all_text_contents()
        expect(numbers == ["1", "2–3"], f"marks are {numbers}")
        # Whatever lies over it, a click on a timeline goes there.
        slider.scroll_into_view_if_needed()
        mark = slider.locator(".marks text").last.bounding_box()
        document.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
        page.wait_for("!document.querySelector('video').seeking")
        expect(abs(page.time() - 9) < 0.2, f"a click on a mark leads to {page.time()}")
    check_structure(document)


def check_index(page):
    document = page.page
    names = lambda: document.locator("tbody th").all_inner_texts()
    persons = document.get_by_role("button", name="Persons")
    persons.click()
    expect(names()[-1] == "long.mp4", f"by persons: {names()}")
    persons.press("Enter")
    expect(names()[0] == "long.mp4", f"by persons, most first: {names()}")
    head = document.get_by_role("columnheader", name="Persons")
    expect(head.get_attribute("aria-sort") == "descending", "the head does not say how it sorts")
    document.get_by_role("button", name="negative").click()
    document.get_by_role("button", name="negative").click()
    expect(names()[0] == "broken.mp4", f"by negative, most first: {names()}")
    document.get_by_role("link", name="clip.mp4").click()
    expect(document.title() == "clip.mp4 – attitudes", f"the link leads to {document.title()}")


def main():
    folder, hostile = pathlib.Path(sys.argv[1]), sys.argv[2]
    with sync_playwright() as playwright, contextlib.closing(
        playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    ) as browser:
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
        page = Page(context, folder, "clip.html")
        check_clip(page)
        page.close("clip.mp4")

        page = Page(context, folder, "long.html")
        page.wait_for("document.querySelector('video').readyState >= 1")
        check_long(page)
        page.close("long.mp4")

        page = Page(context, folder, "broken.html")
        page.page.get_by_role("alert").wait_for()
        page.page.get_by_role("slider").first.press("ArrowRight")
        page.close("broken.mp4")

        page = Page(context, folder, f"{hostile}.html")
        page.wait_for("document.querySelector('video').readyState >= 1")
        name = page.page.get_by_role("heading", level=1).inner_text()
        expect(name == f"{hostile}.mp4", f"a hostile name became {name}")
        expect(page.page.locator("img, [onerror]").count() == 0, "a name or a label became an element")
        page.close(f"{hostile}.mp4")

        page = Page(context, folder, "noted.html")
        check_noted(page, hostile)
        page.close("noted.mp4")

        page = Page(context, folder, "index.html")
        check_index(page)
        page.page.close()

        for scheme in ["light", "dark"]:
            context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 360, "height": 640})
            for name, recordings in [("clip.html", ["clip.mp4"]), ("noted.html", ["noted.mp4"]), ("index.html", [])]:
                page = Page(context, folder, name)
                faint = page.page.evaluate(FAINT)
                expect(not faint, f"too faint in {name}, {scheme}: {faint}")
                if name == "clip.html":
                    page.page.get_by_role("slider").first.press("End")
                width = page.page.evaluate("document.documentElement.scrollWidth")
                expect(width <= 360, f"{name} is {width} px wide on a screen of 360")
                page.close(*recordings)
    print("pages work in Chromium")


main()
