# SPDX-License-Identifier: MPL-2.0
"""picture.py RECORDINGS.json PICTURE.svg: draws what a sample costs in each program."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
# The same results give the same file.
matplotlib.rcParams["svg.hashsalt"] = "recordings"
from matplotlib import pyplot  # noqa: E402

# Blue and orange, which any colour vision tells apart.
COLORS = ["#0072b2", "#e69f00"]
HEIGHT = 0.38


def main():
    results, picture = map(pathlib.Path, sys.argv[1:])
    rows = json.loads(results.read_text())
    programs = list(dict.fromkeys(row["program"] for row in rows))
    figure, axes = pyplot.subplots(figsize=(8, 1 + 0.6 * len(programs)), layout="constrained")
    for index, faces in enumerate(dict.fromkeys(row["faces"] for row in rows)):
        costs = [row["sample_ms"] for row in rows if row["faces"] == faces]
        places = [place + HEIGHT * index for place in range(len(programs))]
        bars = axes.barh(places, costs, HEIGHT, label=faces, color=COLORS[index])
        axes.bar_label(bars, fmt="%.1f", padding=3)
    axes.set_yticks([place + HEIGHT / 2 for place in range(len(programs))], programs)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.1)
    axes.set_xlabel("CPU-ms that a sample adds to decoding, 1280x720, one core (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(picture, metadata={"Date": None})


main()
