# SPDX-License-Identifier: MPL-2.0
"""picture.py RECORDINGS.json PICTURE.svg: draws a chart of the cost per sample of each program."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
# The same results produce the same file.
matplotlib.rcParams["svg.hashsalt"] = "recordings"
from matplotlib import pyplot  # noqa: E402

# Blue and orange can be distinguished with any color vision.
COLORS = ["#0072b2", "#e69f00"]


def main():
    results, picture = map(pathlib.Path, sys.argv[1:])
    rows = json.loads(results.read_text())
    programs = list(dict.fromkeys(row["program"] for row in rows))
    costs = [[row["sample_ms"] for row in rows if row["program"] == program] for program in programs]
    positions = range(len(programs))
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.4 * len(programs)), layout="constrained")
    axes.hlines(positions, *zip(*costs), color="#bbbbbb", linewidth=3, zorder=1)
    for faces, color, of_all, alignment in zip(("one face", "four faces"), COLORS, zip(*costs), ("right", "left")):
        axes.scatter(of_all, positions, s=60, color=color, label=faces)
        for position, cost in zip(positions, of_all):
            text = f"{cost:.1f}" if cost < 10 else f"{cost:.0f}"
            # Place the text away from the other point.
            shift = {"left": (8, 0), "right": (-8, 0)}[alignment]
            axes.annotate(text, (cost, position), shift, textcoords="offset points", ha=alignment, va="center")
    axes.set_yticks(positions, programs)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.12, y=0.15)
    axes.set_xlabel("CPU ms per sample in addition to decoding, 1280x720, one core, logarithmic")
    axes.grid(axis="x", color="#eeeeee")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.legend(frameon=False)
    figure.savefig(picture, metadata={"Date": None})


main()
