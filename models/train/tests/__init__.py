# SPDX-License-Identifier: MPL-2.0
"""Tests the training code on tiny generated data. Skips all tests if packages are missing."""

import importlib.util
import unittest

PACKAGES = ("cv2", "numpy", "onnx", "onnxruntime", "sklearn", "torch", "torchvision")

if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
    raise unittest.SkipTest(f"no {', '.join(missing)}; install models/train/requirements.txt")
