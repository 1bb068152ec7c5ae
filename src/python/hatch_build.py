# SPDX-License-Identifier: MPL-2.0
"""Adds the program and the plugin to the wheel; pipelines/wheel.sh builds them first."""

import os
import pathlib
import platform
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Files in the folder of cargo's results, and their paths in the wheel.
BINARIES = {
    "gst-attitude": "gst_attitude/bin/gst-attitude",
    "libgstattitude.so": "gst_attitude/plugins/libgstattitude.so",
}
FOLDER_VARIABLE = "GST_ATTITUDE_BINARIES"


class Binaries(BuildHookInterface):
    """Adds the files of the folder that the environment variable names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Sets the files, and the tag of this machine's Linux; auditwheel replaces it by that of the oldest glibc."""
        folder = pathlib.Path(os.environ.get(FOLDER_VARIABLE, ""))
        missing = [name for name in BINARIES if not (folder / name).is_file()]
        if missing:
            raise FileNotFoundError(
                f"no {' and no '.join(missing)} in the folder {str(folder)!r} of {FOLDER_VARIABLE}; "
                "build the wheel with pipelines/wheel.sh"
            )
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-linux_{platform.machine()}"
        build_data["force_include"].update({str(folder / name): path for name, path in BINARIES.items()})
