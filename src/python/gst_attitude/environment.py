# SPDX-License-Identifier: MPL-2.0
"""Finds ONNX Runtime in its Python package, and the system's GStreamer.

As a program, it prints the settings for a shell in which GStreamer's tools find the plugin:

    eval "$(python3 -m gst_attitude.environment)"
    gst-inspect-1.0 faceattitude
"""

import ctypes
import importlib.util
import itertools
import os
import pathlib
import shlex

_PACKAGE = pathlib.Path(__file__).parent
PROGRAM = _PACKAGE / "bin" / "gst-attitude"
PLUGIN_FOLDER = _PACKAGE / "plugins"

# Libraries that the program needs; others are dependencies of these.
_LIBRARIES = (
    "libgstreamer-1.0.so.0",
    "libgstapp-1.0.so.0",
    "libgstsdp-1.0.so.0",
    "libgstvideo-1.0.so.0",
    "libgstwebrtc-1.0.so.0",
    "libpangocairo-1.0.so.0",
)
# Debian's packages with these libraries, and with what most recordings and live pages need.
_DEBIAN_PACKAGES = (
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "gstreamer1.0-plugins-ugly",
    "gstreamer1.0-libav",
    "gstreamer1.0-nice",
    "gstreamer1.0-tools",
    "libpangocairo-1.0-0",
    "fonts-dejavu-core",
)


class GStreamerError(RuntimeError):
    """The system's GStreamer is missing or incomplete; the message has the command that installs it."""


def check_gstreamer() -> None:
    """Checks that the dynamic linker finds the libraries that the program needs.

    Raises:
        GStreamerError: A library is missing.
    """
    missing = []
    for name in _LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            missing.append(name)
    if missing:
        raise GStreamerError(
            f"the system's GStreamer is missing or incomplete: the dynamic linker does not find {', '.join(missing)}. "
            f"On Debian and Ubuntu: sudo apt-get install --no-install-recommends {' '.join(_DEBIAN_PACKAGES)}"
        )


def find_onnxruntime() -> pathlib.Path | None:
    """Returns the library in the installed Python package `onnxruntime`, which is not imported; None without one."""
    package = importlib.util.find_spec("onnxruntime")
    folders = package.submodule_search_locations if package else None
    libraries = (pathlib.Path(folder).glob("capi/libonnxruntime.so*") for folder in folders or ())
    return min(itertools.chain.from_iterable(libraries), default=None)


def program_environment() -> dict[str, str]:
    """Returns the environment of a program that uses ONNX Runtime: `ORT_DYLIB_PATH` is added unless it is set."""
    variables = dict(os.environ)
    library = find_onnxruntime()
    if library and not variables.get("ORT_DYLIB_PATH"):
        variables["ORT_DYLIB_PATH"] = str(library)
    return variables


def plugin_environment() -> dict[str, str]:
    """Returns environment variables with which GStreamer finds the plugin, and the plugin ONNX Runtime.

    >>> import os, gst_attitude
    >>> os.environ.update(gst_attitude.plugin_environment())  # before GStreamer is initialized
    """
    set_before = os.environ.get("GST_PLUGIN_PATH", "").split(os.pathsep)
    folders = [str(PLUGIN_FOLDER), *(folder for folder in set_before if folder and folder != str(PLUGIN_FOLDER))]
    variables = {"GST_PLUGIN_PATH": os.pathsep.join(folders)}
    if library := program_environment().get("ORT_DYLIB_PATH"):
        variables["ORT_DYLIB_PATH"] = library
    return variables


if __name__ == "__main__":
    for name, value in plugin_environment().items():
        print(f"export {name}={shlex.quote(value)}")
