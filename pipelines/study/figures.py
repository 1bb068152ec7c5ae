#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Draws three figures of a study: averages over time, responses to events, and participants.

    pipelines/study/figures.py RESULTS [OUTPUT.png]

RESULTS is the output folder of gst-attitude study. Needs pandas and Matplotlib; the lines also work in a notebook.
"""

import sys
from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("Agg")  # Not in a notebook.
import matplotlib.pyplot as plt

# The study in five lines.
results = Path(sys.argv[1])
averages = pd.read_csv(results / "averages.csv")
conditions = pd.read_csv(results / "conditions.csv")
participants = pd.read_csv(results / "participants.csv")
comparisons = pd.read_csv(results / "comparisons.csv")

# Points stand in the middles of their bins: the first one after an event is the mean of what follows it.
bin_s = averages["time_s"].drop_duplicates().sort_values().diff().min()
averages["middle_s"] = averages["time_s"] + bin_s / 2
# The color of each condition in all figures.
colors = {condition: f"C{number}" for number, condition in enumerate(conditions["condition"].unique())}

events = [name for name in averages["aligned_to"].unique() if name != "start"]
figure, axes = plt.subplots(1, 2 + len(events), figsize=(5 * (2 + len(events)), 4), layout="constrained")

# 1. The share of participants who look positive, from the start on.
of_start = averages[(averages["aligned_to"] == "start") & (averages["measure"] == "positive_share")]
for condition, rows in of_start.groupby("condition", sort=False):
    axes[0].plot(rows["middle_s"], rows["mean"], color=colors[condition], label=condition)
    axes[0].fill_between(rows["middle_s"], rows["low"], rows["high"], color=colors[condition], alpha=0.2)
axes[0].set(xlabel="time after the start (s)", ylabel="share of participants who look positive")
axes[0].legend()

# 2. The change of valence after each event.
for axis, event in zip(axes[1:], events):
    of_event = averages[(averages["aligned_to"] == event) & (averages["measure"] == "valence")]
    for condition, rows in of_event.groupby("condition", sort=False):
        axis.plot(rows["middle_s"], rows["mean"], color=colors[condition], label=condition)
        axis.fill_between(rows["middle_s"], rows["low"], rows["high"], color=colors[condition], alpha=0.2)
    axis.axvline(0, color="black", linestyle=":")
    axis.set(xlabel=f"time after {event} (s)", ylabel="change of valence")

# 3. The participants and the means of the conditions, by event.
means = conditions[conditions["measure"] == "valence"]
labels = []
for place, (_, mean) in enumerate(means.iterrows()):
    of_mean = participants[
        (participants["aligned_to"] == mean["aligned_to"]) & (participants["condition"] == mean["condition"])
    ]
    axes[-1].scatter([place] * len(of_mean), of_mean["valence"], color=colors[mean["condition"]], alpha=0.4)
    if pd.notna(mean["low"]):
        interval = [[mean["mean"] - mean["low"]], [mean["high"] - mean["mean"]]]
        axes[-1].errorbar(place, mean["mean"], yerr=interval, fmt="k_", capsize=4)
    labels.append(f"{mean['aligned_to']}, {mean['condition']}")
axes[-1].set_xticks(range(len(labels)), labels, rotation=30, ha="right")
axes[-1].set(ylabel="valence, or its change")

output = sys.argv[2] if len(sys.argv) > 2 else results / "figures.png"
figure.savefig(output, dpi=150)
print(comparisons[["aligned_to", "measure", "first", "second", "difference", "p_holm"]].to_string(index=False))
