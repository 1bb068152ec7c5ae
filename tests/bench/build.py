# SPDX-License-Identifier: MPL-2.0
"""Builds what the benchmarks measure."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def release(*targets):
    """Builds `targets`, which are arguments of cargo, in release mode. Returns the folder that contains them."""
    build = ["cargo", "build", "--quiet", "--release", "--locked", *targets]
    subprocess.run(build, cwd=ROOT, check=True)
    metadata = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    found = json.loads(subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout)
    return pathlib.Path(found["target_directory"]) / "release"
