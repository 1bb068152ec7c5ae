# SPDX-License-Identifier: MPL-2.0
"""Analyzes the attitude of faces in video: positive, neutral or negative.

>>> import gst_attitude
>>> faces = gst_attitude.analyze("interview.mp4").to_pandas()
>>> sorted(faces["attitude"].unique())
['negative', 'neutral', 'positive']

The package contains the program `gst-attitude` and the GStreamer plugin. It uses the system's GStreamer.
"""

from gst_attitude.analysis import AnalysisError, Options, Results, analyze
from gst_attitude.environment import GStreamerError, plugin_environment

__all__ = ["AnalysisError", "GStreamerError", "Options", "Results", "analyze", "plugin_environment"]
