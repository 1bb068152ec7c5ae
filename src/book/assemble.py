#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Assembles the pages of the documentation site for mdBook from the Markdown pages of the repository.

    assemble.py PROGRAM FOLDER

PROGRAM is gst-attitude; the environment variable GST_PLUGIN_PATH names the folder of the plugin. FOLDER is created,
with mdBook's settings and a folder with the pages.

SUMMARY.md lists the pages: those in this folder, and others of the repository as a whole. In a page of this folder, a
line

    [include](../plugin/README.md#gpus)

stands for the text of that section, with its subsections, except those that other pages include. So each section is in
one page. A link to a section leads to where it is; other files of the repository are copied. A line

    <!-- generate: element faceattitude -->

stands for reference data: `element NAME`, `commands` or `schema FILE`. Exits with an error if a link has no target.
"""

import dataclasses
import pathlib
import posixpath
import re
import shutil
import sys

from generate import generate

BOOK = pathlib.Path(__file__).parent.resolve()
ROOT = BOOK.parents[1]
INCLUDE = re.compile(r"\[include\]\(([^)]+)\)")
GENERATE = re.compile(r"<!-- generate: (.+) -->")
HEADING = re.compile(r"(#+) (.+)")
# A link or picture outside of code, which the first alternative skips.
LINK = re.compile(r"(`+).*?\1|(?<=\]\()([^)\s]+)(?=\))")
PICTURES = {".png", ".svg"}
# Anchors that scripts of mdBook would take for a module system, as browsers make variables of them.
RESERVED = {"define", "exports", "module"}


def anchor_of(heading: str) -> str:
    """Returns the anchor that forges and mdBook make of a heading."""
    letters = (letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return "".join(letters).replace(" ", "-")


def site_anchor(anchor: str) -> str:
    """Returns the anchor in the site of a section with this anchor in its file."""
    return f"{anchor}-section" if anchor in RESERVED else anchor


@dataclasses.dataclass
class Section:
    """A heading, the lines up to the next one, and the sections below it. The root is the page with its title."""

    level: int
    heading: str
    anchor: str
    lines: list[str] = dataclasses.field(default_factory=list)
    children: list["Section"] = dataclasses.field(default_factory=list)


def parse(path: str) -> Section:
    """Parses a Markdown file of the repository."""
    stack: list[Section] = []
    seen: dict[str, int] = {}
    is_code = False
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        is_code ^= line.lstrip().startswith("```")
        match = HEADING.fullmatch(line)
        if not match or is_code:
            stack[-1].lines.append(line)
            continue
        level, heading = len(match[1]), match[2]
        anchor = anchor_of(heading)
        seen[anchor] = seen.get(anchor, 0) + 1
        section = Section(level, heading, anchor if seen[anchor] == 1 else f"{anchor}-{seen[anchor] - 1}")
        while stack and stack[-1].level >= level and len(stack) > 1:
            stack.pop()
        if stack:
            stack[-1].children.append(section)
        stack.append(section)
    return stack[0]


class Book:
    """The pages of the site, and where each section of the repository's pages is among them."""

    def __init__(self, program: str, folder: pathlib.Path) -> None:
        self.program, self.folder = program, folder
        self.problems: list[str] = []
        self.files: dict[str, Section] = {}
        # Page and anchor of sections of files; that of a file's root has the anchor of its title.
        self.places: dict[tuple[str, str], tuple[str, str]] = {}
        summary = (BOOK / "SUMMARY.md").read_text(encoding="utf-8")
        self.summary_links = re.findall(r"\]\(([^)]+)\)", summary)
        self.summary = summary
        # Files of the pages, by page.
        self.pages = {self.page_of(link): self.resolve("src/book/SUMMARY.md", link)[0] for link in self.summary_links}

    def page_of(self, link: str) -> str:
        """Returns the path in the site of a page that SUMMARY.md lists."""
        path, _ = self.resolve("src/book/SUMMARY.md", link)
        return path.removeprefix("src/book/").removeprefix("src/").replace("README.md", "index.md")

    def resolve(self, file: str, link: str) -> tuple[str, str]:
        """Returns the file of the repository and the anchor that a link in `file` leads to."""
        target, _, anchor = link.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), target)) if target else file
        return path, anchor

    def root(self, file: str) -> Section:
        if file not in self.files:
            self.files[file] = parse(file)
        return self.files[file]

    def find(self, file: str, anchor: str) -> list[Section]:
        """Returns the path of sections from the root to that with an anchor; an empty list if there is none."""

        def search(section: Section) -> list[Section]:
            if section.anchor == anchor:
                return [section]
            for child in section.children:
                if found := search(child):
                    return [section, *found]
            return []

        root = self.root(file)
        return [root] if not anchor else search(root)

    def place_sections(self) -> None:
        """Finds out which page includes which section."""
        # Who reads the list of pages is in the site already.
        self.places["src/book/SUMMARY.md", self.root("src/book/SUMMARY.md").anchor] = ("index.md", "")
        for page, file in self.pages.items():
            self.places[file, self.root(file).anchor] = (page, "")
        for page, file in self.pages.items():
            if not file.startswith("src/book/"):
                continue
            heading, first = "", True
            for line in (BOOK / page).read_text(encoding="utf-8").splitlines():
                if match := HEADING.fullmatch(line):
                    heading, first = ("" if first else anchor_of(match[2])), False
                elif match := INCLUDE.fullmatch(line):
                    target, anchor = self.resolve(file, match[1])
                    path = self.find(target, anchor)
                    if not path:
                        self.problems.append(f"{file}: no section {match[1]}")
                        continue
                    key = (target, path[-1].anchor)
                    if key in self.places:
                        self.problems.append(f"{match[1]} is in {page} and in {self.places[key][0]}")
                    self.places[key] = (page, heading)

    def locate(self, file: str, anchor: str) -> tuple[str, str] | None:
        """Returns the page and the anchor of a section; None if it is in no page."""
        path = self.find(file, anchor)
        for section in reversed(path):
            if place := self.places.get((file, section.anchor)):
                page, heading = place
                return page, heading if section is path[-1] else site_anchor(path[-1].anchor)
        return None

    def rewrite(self, line: str, file: str, page: str) -> str:
        """Returns a line of `file` with its links as they are in `page`."""

        def replace(match: re.Match[str]) -> str:
            link = match[2]
            if not link or re.match(r"[a-z]+:", link):
                return match[0]
            target, anchor = self.resolve(file, link)
            if (ROOT / target / "README.md").is_file():
                target = posixpath.join(target, "README.md")
            if not (ROOT / target).exists():
                self.problems.append(f"{file}: {link} does not exist")
                return link
            if target.endswith(".md"):
                place = self.locate(target, anchor)
                if not place:
                    self.problems.append(f"{file}: {link} is in no page of the site")
                    return link
                path, anchor = place
                return self.relative(path, page) + (f"#{anchor}" if anchor else "")
            return self.relative(self.copy(target), page)

        return LINK.sub(replace, line)

    def copy(self, path: str) -> str:
        """Copies a picture, another file as text, or the list of the files in a folder; returns the copy's path."""
        is_picture = pathlib.PurePath(path).suffix in PICTURES
        copy = f"pictures/{path}" if is_picture else f"files/{path}.txt"
        target = self.folder / copy
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            names = sorted(file.name for file in (ROOT / path).iterdir() if file.is_file())
            target.write_text("\n".join(names) + "\n", encoding="utf-8")
        else:
            shutil.copyfile(ROOT / path, target)
        return copy

    def relative(self, path: str, page: str) -> str:
        return posixpath.relpath(path, posixpath.dirname(page) or ".")

    def rewrite_lines(self, lines: list[str], file: str, page: str) -> list[str]:
        result, is_code = [], False
        for line in lines:
            is_code ^= line.lstrip().startswith("```")
            result.append(line if is_code else self.rewrite(line, file, page))
        return result

    def section_lines(self, file: str, section: Section, page: str, level: int) -> list[str]:
        """Returns the text of a section without its heading, which would have `level`, and of those below it."""
        lines = self.rewrite_lines(section.lines, file, page)
        for child in section.children:
            if (file, child.anchor) not in self.places:
                child_level = min(level + child.level - section.level, 6)
                heading = self.rewrite(child.heading, file, page)
                lines += [f"{'#' * child_level} {heading} {{#{site_anchor(child.anchor)}}}"]
                lines += self.section_lines(file, child, page, child_level)
        return lines

    def page_lines(self, page: str, file: str) -> list[str]:
        if not file.startswith("src/book/"):
            root = self.root(file)
            return [f"# {root.heading}", *self.section_lines(file, root, page, 1)]
        lines, level, is_code = [], 1, False
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            is_code ^= line.lstrip().startswith("```")
            if is_code:
                lines.append(line)
            elif match := INCLUDE.fullmatch(line):
                target, anchor = self.resolve(file, match[1])
                if path := self.find(target, anchor):
                    lines += self.section_lines(target, path[-1], page, level)
            elif match := GENERATE.fullmatch(line):
                lines += generate(match[1], self.program, ROOT, level)
            else:
                if match := HEADING.fullmatch(line):
                    level = len(match[1])
                lines.append(self.rewrite(line, file, page))
        return lines

    def write(self) -> None:
        self.place_sections()
        for page, file in self.pages.items():
            text = "\n".join(self.page_lines(page, file)) + "\n"
            anchors = re.findall(r"^#.*\{#([^}]+)\}$", text, re.MULTILINE)
            self.problems += [f"{page}: two sections have the anchor {a}" for a in set(anchors) if anchors.count(a) > 1]
            (self.folder / page).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / page).write_text(text, encoding="utf-8")
        summary = self.summary
        for link in self.summary_links:
            summary = summary.replace(f"]({link})", f"]({self.page_of(link)})")
        (self.folder / "SUMMARY.md").write_text(summary, encoding="utf-8")
        for name in ("book.toml", "site.css", "site.js"):
            shutil.copyfile(BOOK / name, self.folder.parent / name)


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: assemble.py PROGRAM FOLDER")
    folder = pathlib.Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    pages.mkdir(parents=True)
    book = Book(sys.argv[1], pages)
    book.write()
    if book.problems:
        sys.exit("\n".join(["assemble.py: the site is not complete:", *book.problems]))


if __name__ == "__main__":
    main()
