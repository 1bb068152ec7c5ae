# SPDX-License-Identifier: MPL-2.0
"""Runs `gst-attitude analyze` on a recording, and reads its results."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from gst_attitude.environment import PROGRAM, check_gstreamer, program_environment

if TYPE_CHECKING:
    import pandas
    import polars

TABLE = "faces.parquet"


class AnalysisError(RuntimeError):
    """A recording cannot be analyzed.

    Attributes:
        reason: Cause and next step.
        code: `no-video`, `crashed` (the decoder) or None.
    """

    def __init__(self, recording: str, reason: str, code: str | None = None) -> None:
        super().__init__(f"{recording}: {reason}")
        self.reason = reason
        self.code = code


# With a function call, as `from` is a keyword.
_Part = TypedDict("_Part", {"from": str | float, "to": str | float}, total=False)


class Options(_Part, total=False):
    """Options of `gst-attitude analyze`, with `_` for `-`; its help has their values and defaults.

    A part of the recording is passed as `**{"from": "1:30"}`, because `from` is a keyword of Python.
    """

    annotate: bool
    attitude_model: str | os.PathLike[str]
    baseline: str | os.PathLike[str]
    blur: bool
    detector_model: str | os.PathLike[str]
    detector_size: int | str
    device: str
    device_id: int
    execution_provider: str
    force: bool
    formats: Iterable[str]
    gpu_mem_limit: int
    join_gap: float
    mapping: str
    max_faces: int | str
    min_confidence: float
    min_face_size: int
    onnxruntime: str | os.PathLike[str]
    provider_library: str | os.PathLike[str]
    provider_options: str
    publish: str
    sample_interval: str
    samples_per_second: float
    spool_location: str | os.PathLike[str]
    stall_timeout: str
    tags: str
    topic: str


@dataclasses.dataclass(frozen=True)
class Results:
    """The results of a recording. A folder that was not chosen is deleted with the last reference to them.

    Attributes:
        folder: Folder with the files that `gst-attitude analyze` writes for the recording.
        damage: Reason why a part of the recording could not be read; None if all of it was.
        notes: Notes about the recording, such as limits that hide people.
    """

    folder: pathlib.Path
    damage: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def faces(self) -> pathlib.Path:
        """Parquet file with one row per face and sample, which pandas, Polars, DuckDB and Arrow read."""
        return self.folder / TABLE

    @property
    def report(self) -> pathlib.Path:
        """Page with the persons over time."""
        return self.folder / "report.html"

    @property
    def summary(self) -> dict[str, Any]:
        """Content of `summary.json`: the recording, how it was analyzed, and its persons over time."""
        return json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))

    def to_pandas(self) -> pandas.DataFrame:
        """Returns the table as a data frame; needs `pip install 'gst-attitude[pandas]'`."""
        import pandas

        return pandas.read_parquet(self.faces)

    def to_polars(self) -> polars.DataFrame:
        """Returns the table as a data frame; needs `pip install 'gst-attitude[polars]'`."""
        import polars

        return polars.read_parquet(self.faces)


def analyze(
    recording: str | os.PathLike[str], output: str | os.PathLike[str] | None = None, **options: Unpack[Options]
) -> Results:
    """Analyzes a recording as `gst-attitude analyze` does.

    >>> import gst_attitude
    >>> results = gst_attitude.analyze("interview.mp4", sample_interval="500ms")
    >>> faces = results.to_polars()
    >>> sorted(faces["attitude"].unique())
    ['negative', 'neutral', 'positive']
    >>> results.report.name
    'report.html'

    Args:
        recording: Path of a recording, or its `http://` or `https://` address.
        output: Folder for the results; they are in a folder with the name of the recording in it, and are up to date
            after another call with the same arguments, which takes no time. Default: a temporary folder.
        **options: Options of the program.

    Returns:
        The results, also of the part of a damaged recording that could be read.

    Raises:
        AnalysisError: The recording cannot be analyzed, or an option is wrong.
        FileNotFoundError: The recording does not exist.
        IsADirectoryError: The recording is a folder; `python -m gst_attitude analyze` accepts folders.
        GStreamerError: The system's GStreamer is missing or incomplete.
    """
    path = os.fspath(recording)
    is_address = re.match("https?://", path)
    if not is_address and os.path.isdir(path):
        raise IsADirectoryError(f"{path} is a folder; to analyze all recordings in it: python -m gst_attitude analyze")
    if not is_address and not os.path.exists(path):
        raise FileNotFoundError(f"no recording {path}")
    check_gstreamer()
    if output is not None:
        return _run(path, pathlib.Path(output), options)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gst-attitude-"))
    try:
        results = _run(path, folder, options)
    except BaseException:
        shutil.rmtree(folder)
        raise
    weakref.finalize(results, shutil.rmtree, folder, ignore_errors=True)
    return results


def _run(path: str, folder: pathlib.Path, options: Mapping[str, Any]) -> Results:
    """Runs the program; raises AnalysisError if there are no results."""
    process = subprocess.run(
        [PROGRAM, "analyze", "--json", "--quiet", "--output", folder, *_arguments(options), "--", path],
        env=program_environment(),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    events = {event["event"]: event for event in map(json.loads, process.stdout.splitlines())}
    if end := events.get("done") or events.get("skipped"):
        return Results(folder / end["name"], end["damage"], tuple(end["notes"]))
    failure = events.get("failed") or events.get("ignored") or events.get("error")
    if not failure:
        reason = process.stderr.strip() or f"gst-attitude ended with status {process.returncode}"
        raise AnalysisError(path, reason.removeprefix("error: "))
    raise AnalysisError(path, failure["reason"], failure.get("code"))


def _arguments(options: Mapping[str, Any]) -> list[str]:
    """Returns the options as arguments of the program; those that are None or False are left out."""
    arguments = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        match value:
            case None | False:
                pass
            case True:
                arguments.append(option)
            case _ if name == "formats":
                arguments.append(f"{option}={','.join(dict.fromkeys([TABLE, *value]))}")
            case _:
                arguments.append(f"{option}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
    return arguments
