#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Compares two files of records: number of faces, different labels, differences of scores.

    compare.py FILE FILE

Fails if the faces or their labels differ, or scores of more than one in ten faces by more than 0.001. Those of a few
may, because the last digits of a box decide which pixels of the frame a crop takes.
"""

import json
import sys

TOLERANCE = 1e-3
MAX_SHARE = 1 / 10


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line)["faces"] for line in file]


def main():
    try:
        first, second = map(read, sys.argv[1:])
    except FileNotFoundError as error:
        sys.exit(f"a run has written no records: {error.filename}")
    counts = [[len(faces) for faces in records] for records in (first, second)]
    if counts[0] != counts[1] or not any(counts[0]):
        sys.exit(f"different faces: {sum(counts[0])} in {len(first)} samples, {sum(counts[1])} in {len(second)}")
    pairs = [pair for records in zip(first, second, strict=True) for pair in zip(*records, strict=True)]
    labels = sum(a["attitude"] != b["attitude"] for a, b in pairs)
    differences = [max(abs(a["raw"][name] - b["raw"][name]) for name in a["raw"]) for a, b in pairs]
    different = sum(difference > TOLERANCE for difference in differences)
    print(
        f"{len(pairs)} faces, {labels} different labels, {different} with scores that differ by more than {TOLERANCE}, "
        f"maximum {max(differences):.1e}"
    )
    if labels or different > MAX_SHARE * len(pairs):
        sys.exit(1)


if __name__ == "__main__":
    main()
