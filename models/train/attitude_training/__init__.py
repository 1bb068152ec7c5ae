# SPDX-License-Identifier: MPL-2.0
"""Trains the default models of gst-attitude; models/train/README.md lists the steps.

Each step is a module with a command line: `python -m attitude_training.attitude.train --help`.

    common    what both models share: state of a training, checkpoints, export, inference, statistics, tables
    data      the labeled faces, the London set, backgrounds, and their splits
    attitude  the classifier of attitudes and emotions
    detector  the face detector
"""

import os

# ONNX Runtime sends telemetry otherwise.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
