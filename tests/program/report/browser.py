#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Opens the pages that browser.rs creates in Chromium, without a network, and checks what users see and do.

    browser.py FOLDER OFFSET HOSTILE

FOLDER contains clip.html, long.html, broken.html, sound.html, noted.html, HOSTILE.html and index.html. OFFSET contains
report.html, about a recording whose timestamps begin at 6 s. Exits with an error on a failed check.
"""

import contextlib
import itertools
import pathlib
import statistics
import sys
import urllib.parse

from playwright.sync_api import sync_playwright

# Roles of the parts of a report.
REPORT_ROLES = {"banner", "main", "complementary", "contentinfo", "region", "slider", "table", "note"}

CHROMIUM = "/usr/bin/chromium"
# Longer than a page takes on a busy machine.
TIMEOUT_MS = 120_000
# Maximum of the median time from a click to the drawing of the playheads.
MAX_SEEK_MS = 200

# Measures the time from each pointer press to the next drawing of the page.
MEASURE_TIMES = """() => {
    const frame = () => new Promise(requestAnimationFrame);
    window.times = [];
    addEventListener("pointerdown", async () => {
        const before = performance.now();
        await frame();
        await frame();
        window.times.push(performance.now() - before);
    }, true);
}"""

# Returns the texts with less contrast than WCAG AA requires, with their colors.
LOW_CONTRAST = """() => {
    const channels = (color) => color.match(/[\\d.]+/g).map(Number);
    const luminance = (color) => {
        const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = channels(color).map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (element) => {
        for (; element; element = element.parentElement) {
            const color = getComputedStyle(element).backgroundColor;
            if ((channels(color)[3] ?? 1) > 0) return color;
        }
        return "rgb(255, 255, 255)";
    };
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, svg")) continue;
        const [text, paper] = [getComputedStyle(element).color, background(element)];
        const [light, dark] = [luminance(text), luminance(paper)].sort((a, b) => b - a);
        const contrast = (light + 0.05) / (dark + 0.05);
        const start = walker.currentNode.data.slice(0, 40);
        if (contrast < 4.5) texts.push(`${contrast.toFixed(2)} ${text} on ${paper}: ${start}`);
    }
    return texts;
}"""


def expect(condition, message):
    if not condition:
        sys.exit(f"browser.py: {message}")


class Page:
    """A page with its requests and errors."""

    def __init__(self, context, folder, name, fragment=""):
        self.address = f"{folder.as_uri()}/{urllib.parse.quote(name)}"
        self.requests, self.errors = [], []
        self.page = context.new_page()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("request", lambda request: self.requests.append(request.url.split("#")[0]))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.errors.append(dialog.message), dialog.dismiss()))
        self.page.goto(self.address + fragment)

    def close(self, *recordings):
        """Checks that the page requested nothing but these recordings, and had no errors."""
        recordings = [urllib.parse.quote(name, safe="") for name in recordings]
        others = {url for url in self.requests if url != self.address and not url.startswith("data:")}
        others = {url for url in others if url.rsplit("/", 1)[1] not in recordings}
        expect(not others, f"{self.address} requested {others}")
        expect(not self.errors, f"{self.address} has errors: {self.errors}")
        self.page.close()

    def wait_for(self, condition):
        """Waits for a condition; the Content Security Policy of the page forbids Playwright's wait_for_function."""
        for _ in range(300):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        expect(False, f"{self.address}: timeout waiting for {condition}")

    def time(self):
        return self.page.evaluate("document.querySelector('video').currentTime")

    def position(self):
        """Returns the position of all playheads, from 0 to 1."""
        positions = self.page.evaluate(
            """() => [...document.querySelectorAll(".playhead")].map((playhead) =>
                new DOMMatrix(getComputedStyle(playhead).transform).e / playhead.parentElement.clientWidth)"""
        )
        expect(max(positions) - min(positions) < 0.01, f"playheads differ: {positions}")
        return positions[0]

    def expect_at(self, seconds, after):
        # A click hits a pixel, which is not at a whole second.
        self.wait_for("!document.querySelector('video').seeking")
        expect(abs(self.time() - seconds) < 0.1, f"at {self.time()} instead of {seconds} after {after}")
        expect(abs(self.position() - seconds / 20) < 0.01, f"playhead at {self.position()} after {after}")


def check_clip(page):
    """Checks the page of a clip.

    The clip has twenty seconds: the first face is neutral, positive from 8, absent from 12, and negative from 16. The
    second face appears at 10.
    """
    document = page.page
    page.wait_for("document.querySelector('video').readyState >= 2")
    sliders = document.get_by_role("slider")
    names = [slider.get_attribute("aria-label") for slider in sliders.all()]
    expect(names == ["Timeline of all faces", "Timeline of Person 1", "Timeline of Person 2"], f"sliders are {names}")
    person = document.get_by_role("slider", name="Person 1")
    width = person.bounding_box()["width"]
    person.click(position={"x": 0.5 * width + 1, "y": 40})
    page.expect_at(10, "a click")
    text = person.get_attribute("aria-valuetext")
    expect(text == "0:10 of 0:20, positive", f"the slider says {text}")
    for key, seconds in [
        ("ArrowRight", 11),
        ("ArrowUp", 12),
        ("ArrowLeft", 11),
        ("ArrowDown", 10),
        ("PageDown", 0),
        ("PageUp", 10),
        ("End", 20),
        ("Home", 0),
    ]:
        person.press(key)
        page.expect_at(seconds, key)
    person.press("PageUp")
    for _ in range(4):
        person.press("ArrowRight")
    text = person.get_attribute("aria-valuetext")
    expect(text == "0:14 of 0:20, not seen", f"the slider says {text} in a gap")

    changes = document.get_by_role("table", name="Changes of Person 1").get_by_role("link")
    expect(changes.all_inner_texts() == ["0:08.0"], f"changes at {changes.all_inner_texts()}")
    changes.first.click()
    page.expect_at(8, "a click on a change")
    changes.first.focus()
    document.keyboard.press("Enter")
    page.expect_at(8, "Enter on a change")

    before = page.position()
    document.evaluate("document.querySelector('video').muted = true; document.querySelector('video').play()")
    page.wait_for("document.querySelector('video').currentTime > 9")
    document.evaluate("document.querySelector('video').pause()")
    document.wait_for_timeout(100)
    expect(page.position() > before + 0.04, "the playhead does not follow")
    expect(abs(page.position() - page.time() / 20) < 0.01, "the playhead is not at the position of the recording")

    check_structure(document, REPORT_ROLES)


def check_structure(document, wanted):
    """Checks the structure that screen readers use, with the roles `wanted`."""
    levels = document.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))")
    steps = [after - before for before, after in itertools.pairwise(levels)]
    expect(levels[0] == 1 and levels.count(1) == 1 and max(steps, default=0) <= 1, f"headings are {levels}")
    nodes = document.context.new_cdp_session(document).send("Accessibility.getFullAXTree")["nodes"]
    nodes = [node for node in nodes if not node["ignored"]]
    roles = {node["role"]["value"] for node in nodes}
    expect(wanted <= roles, f"roles {wanted - roles} are missing")
    for node in nodes:
        role = node["role"]["value"]
        if role in {"slider", "link", "button", "table", "region", "image", "img", "article", "Video", "heading"}:
            expect(node.get("name", {}).get("value"), f"a {role} has no name: {node}")


def check_long(page):
    page.page.evaluate(MEASURE_TIMES)
    slider = page.page.get_by_role("slider", name="Person 5")
    slider.scroll_into_view_if_needed()
    width = slider.bounding_box()["width"]
    for clicks, share in enumerate([0.9, 0.1, 0.5, 0.7, 0.3, 0.6, 0.2], start=1):
        slider.click(position={"x": share * width, "y": 40})
        page.wait_for(f"window.times.length == {clicks}")
        expect(abs(page.position() - share) < 0.01, f"the playheads are at {page.position()} after a click at {share}")
    times = page.page.evaluate("window.times")
    text = f"two hours, ten persons: drawn {statistics.median(times):.0f} ms after a click, {max(times):.0f} ms at most"
    expect(statistics.median(times) < MAX_SEEK_MS, text)
    print(text)


def check_zoom(page):
    """Checks that the page of two hours shows the details of a part, at the same positions."""
    document = page.page
    slider = document.get_by_role("slider").first
    chart = slider.locator(".chart")
    whole = chart.inner_html()
    width = slider.bounding_box()["width"]
    slider.click(position={"x": 0.5 * width, "y": 40})
    for _ in range(5):
        document.keyboard.press("+")
    page.wait_for("document.querySelector('#zoom-part').textContent.startsWith('58:0')")
    expect(chart.locator(".word").count() > 0, "the segments of a part have no words")
    expect(chart.inner_html() != whole, "the part looks like the whole recording")
    slider.click(position={"x": 0.25 * width, "y": 40})
    share = (3600 - 225 / 4) / 7200
    expect(abs(page.position() - share) < 0.001, f"a click in a part seeks to {page.position()} instead of {share}")
    slider.press("Home")
    page.wait_for("document.querySelector('#zoom-part').textContent.startsWith('0:00')")
    document.keyboard.press("0")
    page.wait_for("document.querySelector('#zoom-part').textContent === ''")
    expect(chart.inner_html() == whole, "the whole recording looks different after a part was shown")
    document.keyboard.press("?")
    document.get_by_role("dialog", name="Keys").wait_for()
    document.keyboard.press("Escape")
    document.get_by_role("dialog", name="Keys").wait_for(state="hidden")


def check_noted(page, hostile):
    """Checks the page of the clip with a hostile note at 3, and two notes at 9 that share a mark."""
    document = page.page
    page.wait_for("document.querySelector('video').readyState >= 2")
    table = document.get_by_role("table", name="Notes")
    rows = [row.get_by_role("cell").all_inner_texts() for row in table.get_by_role("row").all()[1:]]
    expected = [
        ["1", "0:03.0", hostile, "neutral"],
        ["2", "0:09.0", "second", "positive"],
        ["3", "0:09.1", "\u202ethird", "positive"],
    ]
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
    expect(focused == "0:09.0", f"Tab after the first note focuses {focused}")

    for slider in document.get_by_role("slider").all():
        numbers = slider.locator(".marks text").all_text_contents()
        expect(numbers == ["1", "2–3"], f"marks are {numbers}")
        # A click on a mark seeks, too.
        slider.scroll_into_view_if_needed()
        mark = slider.locator(".marks text").last.bounding_box()
        document.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
        page.wait_for("!document.querySelector('video').seeking")
        expect(abs(page.time() - 9) < 0.2, f"a click on a mark seeks to {page.time()}")
    check_structure(document, REPORT_ROLES)


def check_offset_link(page):
    """Checks the report of a recording whose timestamps begin at 6 s after a link to 0:04."""
    page.wait_for("document.querySelector('video').currentTime > 6.5 && !document.querySelector('video').seeking")
    expect(abs(page.time() - 10) < 0.1, f"a link to 4 seeks to {page.time()} instead of 10")
    expect(abs(page.position() - 0.4) < 0.02, f"the playhead is at {page.position()} after a link to 4 of 10")


def check_offset(page):
    """Checks the report of a recording of ten seconds whose timestamps begin at 6 s, from which Chromium counts."""
    document = page.page
    page.wait_for("document.querySelector('video').readyState >= 2")
    expect(page.time() > 5.9, f"Chromium does not count from the first timestamp, but from {page.time()}")
    slider = document.get_by_role("slider").first
    width = slider.bounding_box()["width"]
    for share in [0.5, 0.1, 0.9]:
        slider.click(position={"x": share * width, "y": 40})
        page.wait_for("!document.querySelector('video').seeking")
        seconds = 6 + 10 * share
        expect(abs(page.time() - seconds) < 0.2, f"a click at {share} seeks to {page.time()} instead of {seconds}")
        expect(abs(page.position() - share) < 0.02, f"the playhead is at {page.position()} after a click at {share}")
    note = document.get_by_role("note").filter(has_text="reached the maximum of 1 face")
    expect(note.is_visible() and note.inner_text().startswith("Note: "), "the page does not show its note")
    check_structure(document, REPORT_ROLES)
    texts = document.evaluate(LOW_CONTRAST)
    expect(not texts, f"low contrast: {texts}")


def check_filter(document):
    """Selects recordings by keyboard."""
    field = document.get_by_role("searchbox", name="Search names and participants")
    count = document.get_by_role("status")
    rows = document.locator("table.index tbody tr")
    total = rows.count()

    def shown():
        return [row.locator("th").inner_text() for row in rows.all() if row.is_visible()]

    field.focus()
    document.keyboard.type("CLIP")
    expect(shown() == ["clip.mp4"], f"found {shown()}")
    expect(count.inner_text() == f"1 of {total} recordings", count.inner_text())
    document.keyboard.press("Tab")
    attitudes = document.get_by_label("Most of the time")
    expect(attitudes.evaluate("it => it === document.activeElement"), "the selection does not follow the search")
    document.keyboard.press("Escape")
    expect(len(shown()) == total and field.input_value() == "", f"after Escape: {shown()}")
    attitudes.select_option("unknown")
    expect(len(shown()) < total, f"mostly unknown: {shown()}")
    attitudes.select_option("")
    check_structure(document, {"main", "search", "searchbox", "table"})


def check_index(page):
    document = page.page

    def names():
        return document.locator("tbody th").all_inner_texts()

    persons = document.get_by_role("button", name="Persons")
    persons.click()
    expect(names()[-1] == "long.mp4", f"sorted by persons: {names()}")
    persons.press("Enter")
    expect(names()[0] == "long.mp4", f"sorted by persons, descending: {names()}")
    head = document.get_by_role("columnheader", name="Persons")
    expect(head.get_attribute("aria-sort") == "descending", "the column header has no aria-sort")
    document.get_by_role("button", name="negative").click()
    document.get_by_role("button", name="negative").click()
    expect(names()[0] == "broken.mp4", f"sorted by negative, descending: {names()}")
    check_filter(document)
    document.get_by_role("link", name="clip.mp4").click()
    expect(document.title() == "clip.mp4 – attitudes", f"the link opens {document.title()}")


def main():
    folder, offset, hostile = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    with (
        sync_playwright() as playwright,
        contextlib.closing(playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])) as browser,
    ):
        context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
        page = Page(context, folder, "clip.html")
        check_clip(page)
        page.close("clip.mp4")

        page = Page(context, folder, "long.html")
        page.wait_for("document.querySelector('video').readyState >= 1")
        expect(not page.page.get_by_role("alert").is_visible(), "a recording that plays is called unplayable")
        check_long(page)
        check_zoom(page)
        page.close("long.mp4")

        page = Page(context, folder, "broken.html")
        page.page.get_by_role("alert").wait_for()
        page.page.get_by_role("slider").first.press("ArrowRight")
        page.close("broken.mp4")

        page = Page(context, folder, "sound.html")
        page.page.get_by_role("alert").wait_for()
        video = "document.querySelector('video')"
        size = page.page.evaluate(f"[{video}.readyState >= 1, {video}.videoWidth]")
        expect(size == [True, 0], f"the picture can be decoded, or the sound cannot: {size}")
        page.close("sound.mp4")

        page = Page(context, folder, f"{hostile}.html")
        page.wait_for("document.querySelector('video').readyState >= 1")
        name = page.page.get_by_role("heading", level=1).inner_text()
        expect(name == f"{hostile}.mp4", f"a hostile name became {name}")
        expect(page.page.locator("img, [onerror]").count() == 0, "a name or a label became an element")
        page.close(f"{hostile}.mp4")

        page = Page(context, folder, "noted.html")
        check_noted(page, hostile)
        page.close("noted.mp4")

        page = Page(context, offset, "report.html")
        check_offset(page)
        page.close("offset.webm")
        page = Page(context, offset, "report.html", "#t=4")
        check_offset_link(page)
        page.close("offset.webm")

        page = Page(context, folder, "index.html")
        check_index(page)
        page.page.close()

        for scheme in ["light", "dark"]:
            context = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 360, "height": 640})
            for name, recordings in [("clip.html", ["clip.mp4"]), ("noted.html", ["noted.mp4"]), ("index.html", [])]:
                page = Page(context, folder, name)
                texts = page.page.evaluate(LOW_CONTRAST)
                expect(not texts, f"low contrast in {name}, {scheme}: {texts}")
                if name == "clip.html":
                    page.page.get_by_role("slider").first.press("End")
                width = page.page.evaluate("document.documentElement.scrollWidth")
                expect(width <= 360, f"{name} is {width} px wide on a screen of 360")
                page.close(*recordings)
    print("pages work in Chromium")


main()
