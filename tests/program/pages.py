#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Opens pages that the program wrote in Chromium, without a network, and checks that everybody can use them.

    pages.py PAGE...

Each page is checked with axe and for its width, at several widths, light and dark. Exits with an error that lists all
findings.
"""

import pathlib
import sys
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

sys.path.append(str(pathlib.Path(__file__).parents[1] / "support"))
from page_checks import AXE, CHROMIUM, TIMEOUT_MS, WINDOWS, axe_findings, is_too_wide

SCHEMES = ("light", "dark")


def check(browser: Browser, path: pathlib.Path) -> Iterator[str]:
    for scheme in SCHEMES:
        for width, height in WINDOWS.items():
            size = {"width": width, "height": height}
            context = browser.new_context(offline=True, color_scheme=scheme, reduced_motion="reduce", viewport=size)
            page = context.new_page()
            page.set_default_timeout(TIMEOUT_MS)
            page.goto(path.as_uri())
            # What is folded in is part of the page, too.
            page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
            if is_too_wide(page):
                yield f"{path.name} is wider than {width} px"
            yield from (f"{path.name} ({scheme}, {width} px): {finding}" for finding in axe_findings(page))
            context.close()


def main() -> None:
    if not AXE.exists():
        print("skipped: no axe; tests/lint/web.sh --install installs it")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        findings = [finding for name in sys.argv[1:] for finding in check(browser, pathlib.Path(name))]
        browser.close()
    if findings:
        sys.exit("\n".join(["pages.py: findings:", *findings]))


main()
