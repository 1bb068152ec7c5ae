#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Plots the measurements of soak.py, and checks them for growth.

    tests/hardening/soak_chart.py FILE.csv FILE.svg

The rule: after a minute in which caches fill, a piece is divided into three parts. In the last part, the lowest
measurement must not exceed the lowest one of the first part by more than a tenth and 8 MB, 4 threads or 8 files. As
streams and visitors pause once per minute, that is the idle process. For `analyze`, whose processes begin again and
again, medians are compared. Pieces that are shorter than ten minutes are not checked.
"""

import csv
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

# Time between two measurements, and the time at the start of a piece that is not checked, in s.
INTERVAL_S, WARM_UP_S = 10, 60
MIN_CHECKED_S = 600
# Number of points of a curve.
STEPS = 410


class Row(NamedTuple):
    """A measurement of a process."""

    piece: int
    seconds: float
    process: str
    resident_mb: float
    threads: float
    files: float


class Quantity(NamedTuple):
    """A quantity, and how much it may grow besides a tenth."""

    field: str
    title: str
    allowance: float


QUANTITIES = (
    Quantity("resident_mb", "resident memory, MB", 8),
    Quantity("threads", "threads", 4),
    Quantity("files", "open files", 8),
)
# Colors by process, which can be told apart with any color vision (Okabe and Ito).
COLORS = {"streams": "#0072b2", "serve": "#d55e00", "analyze": "#009e73"}


def read(path: Path) -> list[Row]:
    with path.open(newline="") as file:
        return [
            Row(int(row["piece"]), float(row["seconds"]), row["process"], *(float(row[q.field]) for q in QUANTITIES))
            for row in csv.DictReader(file)
        ]


def growth(rows: list[Row]) -> list[str]:
    """Returns what has grown."""
    series = defaultdict(list)
    for row in rows:
        series[row.piece, row.process].append(row)
    grown = []
    for (piece, process), measured in series.items():
        end = measured[-1].seconds
        if end < MIN_CHECKED_S:
            continue
        third = (end - WARM_UP_S) / 3
        parts = (WARM_UP_S, WARM_UP_S + third), (end - third, end)
        level = statistics.median if process == "analyze" else min
        for quantity in QUANTITIES:
            first, last = (
                level(getattr(row, quantity.field) for row in measured if begin <= row.seconds <= end)
                for begin, end in parts
            )
            if last > first * 1.1 + quantity.allowance:
                grown.append(f"piece {piece}, {process}: {quantity.title} from {first:.0f} to {last:.0f}")
    return grown


def svg(rows: list[Row]) -> str:
    """Returns a picture with a chart per quantity; the pieces follow each other."""
    left, width, height, gap = 60, 820, 150, 45
    starts, total = {}, 0.0
    for piece in sorted({row.piece for row in rows}):
        starts[piece] = total
        total += max(row.seconds for row in rows if row.piece == piece)
    pieces = "one piece" if len(starts) == 1 else f"{len(starts)} pieces"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 20} {60 + 3 * (height + gap)}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{left}" y="20">{total / 60:.0f} minutes in {pieces}</text>',
    ]
    for index, (process, color) in enumerate(COLORS.items()):
        x = left + width - 240 + 85 * index
        parts.append(f'<text x="{x}" y="20" fill="{color}">● {process}</text>')
    for index, quantity in enumerate(QUANTITIES):
        top = 50 + index * (height + gap)
        highest = max(getattr(row, quantity.field) for row in rows) * 1.05
        parts += [
            f'<text x="{left}" y="{top - 6}">{quantity.title}</text>',
            f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#888"/>',
        ]
        for share in (0, 0.5, 1):
            y = top + height * (1 - share)
            parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{highest * share:.0f}</text>')
        for share in (0, 0.25, 0.5, 0.75, 1):
            x, y = left + width * share, top + height + 15
            parts.append(f'<text x="{x:.0f}" y="{y}" text-anchor="middle">{total * share / 60:.0f} min</text>')
        for process, color in COLORS.items():
            for piece, start in starts.items():
                # The highest measurement for each step of the picture.
                highest_at: dict[int, float] = {}
                for row in rows:
                    if (row.piece, row.process) == (piece, process):
                        step = int((start + row.seconds) / total * STEPS)
                        highest_at[step] = max(highest_at.get(step, 0), getattr(row, quantity.field))
                points = " ".join(
                    f"{left + width * step / STEPS:.0f},{top + height * (1 - value / highest):.0f}"
                    for step, value in highest_at.items()
                )
                parts.append(f'<polyline points="{points}" fill="none" stroke="{color}"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    rows = read(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(svg(rows))
    grown = growth(rows)
    sys.exit("\n".join(grown) if grown else 0)


if __name__ == "__main__":
    main()
