# SPDX-License-Identifier: MPL-2.0
"""Runs the program: `python -m gst_attitude analyze interview.mp4 -o results`."""

import os
import sys
from typing import NoReturn

from gst_attitude.environment import PROGRAM, GStreamerError, check_gstreamer, program_environment


def main() -> NoReturn:
    """Replaces this process by the program, with the same arguments."""
    try:
        check_gstreamer()
    except GStreamerError as error:
        sys.exit(f"gst-attitude: {error}")
    os.execve(PROGRAM, ["gst-attitude", *sys.argv[1:]], program_environment())


if __name__ == "__main__":
    main()
