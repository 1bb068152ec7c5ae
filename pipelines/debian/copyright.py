#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Prints debian/copyright: the license of gst-attitude, and those of the crates that are linked into it.

    copyright.py [--features FEATURES]

Reads what cargo knows about the crates for this machine's platform, and the licenses in their folders.
"""

import json
import pathlib
import re
import subprocess
import sys

PACKAGES = ("gst-attitude", "gst-plugin-attitude")
# What Debian has in /usr/share/common-licenses.
COMMON = {"Apache-2.0": "Apache-2.0", "MPL-2.0": "MPL-2.0"}
# A line that only the text of this license has.
SIGNATURES = {
    "0BSD": "fee is hereby granted. THE SOFTWARE",
    "Apache-2.0 WITH LLVM-exception": "LLVM Exceptions to the Apache 2.0 License",
    "BSD-2-Clause": "Redistributions of source code must retain",
    "BSD-3-Clause": "Neither the name",
    "BSL-1.0": "Boost Software License - Version 1.0",
    "CC0-1.0": "CC0 1.0 Universal",
    "ISC": "fee is hereby granted, provided that the above copyright notice",
    "MIT": "Permission is hereby granted, free of charge, to any",
    "Unicode-3.0": "UNICODE LICENSE V3",
    "Unlicense": "This is free and unencumbered software",
    "Zlib": "This software is provided 'as-is'",
}
LICENSE_FILES = ("LICEN[CS]E*", "COPYING*", "COPYRIGHT*", "UNLICENSE*", "NOTICE*", "license*")


def linked_crates(features):
    """Returns the crates that are linked into the packages, without those of the workspace, sorted by name."""
    version = subprocess.run(["rustc", "--version", "--verbose"], check=True, stdout=subprocess.PIPE, text=True).stdout
    target = re.search("^host: (.*)$", version, re.MULTILINE)[1]
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--offline", f"--filter-platform={target}"]
    metadata = json.loads(subprocess.run([*command, *features], check=True, stdout=subprocess.PIPE).stdout)
    crates = {crate["id"]: crate for crate in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    pending = [crate["id"] for crate in crates.values() if crate["name"] in PACKAGES]
    seen = set()
    while pending:
        identifier = pending.pop()
        # A procedural macro runs in the compiler.
        if identifier in seen or any("proc-macro" in target["kind"] for target in crates[identifier]["targets"]):
            continue
        seen.add(identifier)
        for dependency in nodes[identifier]["deps"]:
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                pending.append(dependency["pkg"])
    linked = [crates[identifier] for identifier in seen if identifier not in metadata["workspace_members"]]
    return sorted(linked, key=lambda crate: (crate["name"], crate["version"]))


def license_texts(crate):
    """Returns the texts in the folder of a crate that may be licenses."""
    folder = pathlib.Path(crate["manifest_path"]).parent
    files = {file for pattern in LICENSE_FILES for file in folder.glob(pattern) if file.is_file()}
    if crate["license_file"]:
        files.add(folder / crate["license_file"])
    return [file.read_text(errors="replace") for file in sorted(files)]


def license_names(expression):
    """Returns the licenses of an SPDX expression."""
    names = re.split(r"\s*(?:\bOR\b|\bAND\b|/|[()])\s*", expression)
    return [name for name in names if name]


def copyright_lines(crate):
    """Returns the copyright notices of a crate, or else its authors."""
    lines = []
    for text in license_texts(crate):
        for line in text.splitlines():
            # With a year or a sign: not a sentence about copyright, nor the form of an appendix.
            match = re.match(r"\W*(?:Copyright|©)\s*((?:\(c\)|©|\d{4}).*)$", line.strip(), re.IGNORECASE)
            if match and "[" not in line and "{" not in line:
                lines.append(re.sub(r"^(?:\(c\)|©)\s*", "", match[1], flags=re.IGNORECASE))
    return list(dict.fromkeys(lines)) or crate["authors"] or [f"the authors of {crate['name']}"]


def find_text(name, crates):
    """Returns the text of a license without copyright notices: the shortest that a crate has."""
    texts = [text for crate in crates if name in license_names(crate["license"]) for text in license_texts(crate)]
    texts = [text for text in texts if SIGNATURES[name] in " ".join(text.split())]
    if not texts:
        sys.exit(f"copyright.py: no crate contains the text of the license {name}; add its text")
    text = min(texts, key=len)
    if " WITH " in name:
        # Of the license itself, Debian has a copy.
        common = COMMON[name.split(" WITH ")[0]]
        text = f"The license in /usr/share/common-licenses/{common}, with:\n\n" + text[text.index(SIGNATURES[name]) :]
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(line for line in lines if not re.match(r"\W*(copyright|©)\s*(\(c\)|©|\d)", line, re.IGNORECASE))


def paragraph(field, text):
    """Returns a field whose text has several lines."""
    lines = [line if line.strip() else "." for line in text.strip("\n").splitlines()]
    return f"{field}\n" + "\n".join(f" {line}" for line in lines)


def debian_expression(expression):
    """Returns an SPDX expression in Debian's syntax, in which the names of licenses contain no spaces."""
    expression = " ".join(expression.replace("/", " OR ").replace(" WITH ", "-WITH-").split())
    expression = re.sub(r"\) AND", "), AND", expression)
    return re.sub(r"[()]", "", expression).replace(" OR ", " or ").replace(" AND ", " and ")


def main():
    crates = linked_crates(sys.argv[1:])
    print("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/")
    print("Upstream-Name: gst-attitude")
    print("Comment: The crates are linked into the program and the plugin.")
    print("\nFiles: *\nCopyright: the authors of gst-attitude\nLicense: MPL-2.0")
    for crate in crates:
        if not crate["license"]:
            sys.exit(f"copyright.py: the crate {crate['name']} states no license; look at {crate['manifest_path']}")
        print(f"\nFiles: crates/{crate['name']}-{crate['version']}/*")
        print(paragraph("Copyright:", "\n".join(copyright_lines(crate))))
        print(f"License: {debian_expression(crate['license'])}")
    for name in sorted({"MPL-2.0", *(name for crate in crates for name in license_names(crate["license"]))}):
        print()
        if name in COMMON:
            text = f"The full text of this license is in /usr/share/common-licenses/{COMMON[name]}."
        elif name in SIGNATURES:
            text = find_text(name, crates)
        else:
            sys.exit(f"copyright.py: the license {name} is unknown; add it to COMMON or SIGNATURES")
        print(paragraph(f"License: {name.replace(' WITH ', '-WITH-')}", text))


if __name__ == "__main__":
    main()
