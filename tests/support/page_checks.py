# SPDX-License-Identifier: MPL-2.0
"""What the tests of pages in Chromium share: the sizes of windows, a timeout, and accessibility by axe."""

import os
import pathlib

from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
# Width and height of the windows in CSS pixels.
WINDOWS = {360: 740, 1280: 800, 3840: 2160}
# Longer than a page takes on a busy machine.
TIMEOUT_MS = 120_000

# tests/lint/web.sh --install installs it.
DATA = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share"
AXE = pathlib.Path(DATA) / "gst-attitude/web-lint/node_modules/axe-core/axe.min.js"

AXE_FINDINGS = """async () => {
    const {violations} = await axe.run({preload: false, resultTypes: ["violations"]});
    const reason = (violation, node) => node.any.concat(node.all, node.none)[0]?.message ?? violation.help;
    return violations.flatMap((violation) => violation.nodes.map((node) =>
        `${violation.id}: ${node.html.slice(0, 120)}: ${reason(violation, node)}`));
}"""


def axe_findings(page: Page) -> list[str]:
    """Returns what violates a rule of axe in the page as it is now."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    return page.evaluate(AXE_FINDINGS)


def is_too_wide(page: Page) -> bool:
    """Returns true if the page is wider than its window, so that it scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")
