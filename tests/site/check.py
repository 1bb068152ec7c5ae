#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Checks the documentation site: its links, and in Chromium its width, accessibility, requests and search.

    check.py SITE [--screenshots FOLDER]

SITE is the folder with index.html. The pages are opened as files. Exits with an error that lists all findings.
--screenshots also writes pictures of some pages, light and dark, at each width.
"""

import argparse
import html.parser
import pathlib
import sys
import urllib.parse
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, sync_playwright

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
from page_checks import CHROMIUM, TIMEOUT_MS, WINDOWS, axe_findings, is_too_wide

AXE_WIDTH = 1280
THEMES = ("light", "navy")
PICTURED = ("index.html", "tutorials/interviews.html", "reference/elements/faceattitude.html", "reference/records.html")
# Attributes with addresses of what a page loads.
LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("video", "src"), ("iframe", "src")}


class Links(html.parser.HTMLParser):
    """The ids, the links and the loaded files of a page."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.ids.append(value)
            elif (tag, name) in LOADED:
                self.loaded.append(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)


def say(text: str) -> None:
    print(f"check.py: {text}", flush=True)


def check_links(site: pathlib.Path, pages: list[pathlib.Path]) -> list[str]:
    """Returns findings about links: each file and anchor must exist, and nothing is loaded from elsewhere."""
    parsed = {page: Links(page) for page in pages}
    problems = []
    for page, links in parsed.items():
        name = page.relative_to(site)
        problems += [f"{name}: two elements have the id {id_}" for id_ in set(links.ids) if links.ids.count(id_) > 1]
        for link in links.links + links.loaded:
            address = urllib.parse.urlsplit(link)
            if address.scheme or address.netloc:
                if link in links.loaded and address.scheme != "data":
                    problems.append(f"{name} loads {link}")
                continue
            target = (page.parent / urllib.parse.unquote(address.path)).resolve() if address.path else page
            anchor = urllib.parse.unquote(address.fragment)
            if not target.is_file():
                problems.append(f"{name}: {link}: no such file")
            elif anchor and target in parsed and anchor not in parsed[target].ids:
                problems.append(f"{name}: {link}: no such anchor")
    return problems


def open_page(browser: Browser) -> tuple[Page, list[str]]:
    """Returns a page, and the list that its requests and errors are added to."""
    page, findings = browser.new_page(reduced_motion="reduce"), []
    page.set_default_timeout(TIMEOUT_MS)
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or findings.append(request.url))
    page.on("console", lambda message: message.type == "error" and findings.append(message.text))
    page.on("pageerror", lambda error: findings.append(str(error)))
    return page, findings


def check_pages(
    browser: Browser, site: pathlib.Path, pages: list[pathlib.Path], pictures: pathlib.Path | None
) -> Iterator[str]:
    """Yields findings about each page, in each theme and width."""
    page, findings = open_page(browser)
    for path in pages:
        name = str(path.relative_to(site))
        say(name)
        page.goto(path.as_uri())
        for width, height in WINDOWS.items():
            page.set_viewport_size({"width": width, "height": height})
            if pictures and name in PICTURED:
                page.reload()
            if is_too_wide(page):
                yield f"{name} is wider than {width} px"
            for theme in THEMES if width == AXE_WIDTH or (pictures and name in PICTURED) else ():
                page.evaluate(f"document.getElementById('mdbook-theme-{theme}').click()")
                if pictures and name in PICTURED:
                    page.screenshot(path=pictures / f"{theme}-{width}-{name.replace('/', '-')}.png")
                if width == AXE_WIDTH:
                    yield from (f"{name} ({theme}): {finding}" for finding in axe_findings(page))
        yield from (f"{name}: {finding}" for finding in findings)
        findings.clear()
    page.close()


def check_search(browser: Browser, site: pathlib.Path) -> list[str]:
    """Searches for a property by keyboard, and opens the first result."""
    page, findings = open_page(browser)
    page.goto((site / "index.html").as_uri())
    page.keyboard.press("s")
    page.keyboard.type("track-timeout")
    page.click("#mdbook-searchresults li a")
    page.wait_for_load_state()
    if "track-timeout" not in page.inner_text("main"):
        findings.append(f"the first result of the search, {page.url}, does not contain what was searched for")
    page.close()
    return findings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("site", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    site = arguments.site.resolve()
    # toc.html is a frame for browsers without JavaScript.
    pages = [page for page in sorted(site.rglob("*.html")) if page.name != "toc.html"]
    if len(pages) < 40:
        sys.exit(f"check.py: {site} has only {len(pages)} pages")
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    problems = check_links(site, pages)
    say(f"{len(pages)} pages, links checked")
    with sync_playwright() as playwright:
        options = ["--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options, chromium_sandbox=False)
        problems += check_pages(browser, site, pages, arguments.screenshots)
        problems += check_search(browser, site)
        browser.close()
    if problems:
        sys.exit("\n".join(["check.py: findings:", *problems]))
    say(f"{len(pages)} pages, {len(THEMES)} themes, {len(WINDOWS)} widths: no findings")


if __name__ == "__main__":
    main()
