# SPDX-License-Identifier: MPL-2.0
"""Runs and times ONNX models."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

# Number of runs of which a time is the median: enough to be stable to 2% on a machine that is not idle.
TIMED_RUNS = 300


def session(path: Path) -> onnxruntime.InferenceSession:
    """Creates an inference session on one thread of a CPU, as in the plugin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def median_times_ms(runs: Sequence[Callable[[], object]], rounds: int = TIMED_RUNS) -> list[float]:
    """Measures functions in turns, so that other load affects all of them. Returns their median times in ms."""
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, taken in zip(runs, times):
            started = time.perf_counter()
            run()
            taken.append(time.perf_counter() - started)
    return [1e3 * float(np.median(taken)) for taken in times]
