# SPDX-License-Identifier: MPL-2.0
"""Writes a description into an ONNX model, so that `faceattitude` can use its inputs and outputs.

    python3 models/describe.py MODEL.onnx DESCRIPTION.toml

The description is stored in the `metadata_props` of the model under the key `gst-attitude`, and replaces an existing
one; nothing else changes. models/README.md documents the format. Requires Python 3.11 and the package `onnx`.
"""

import os
import sys
import tomllib
from pathlib import Path

import onnx

KEY = "gst-attitude"
TASKS = ("attitude", "face-detection")


def check(text, model):
    """Raises ValueError if `text` cannot describe `model`; the plugin checks the rest when it loads the model."""
    description = tomllib.loads(text)
    if description.get("schema") != 1:
        raise ValueError(f"schema is {description.get('schema')!r}, expected 1")
    if description.get("task") not in TASKS:
        raise ValueError(f"task is {description.get('task')!r}, expected one of {', '.join(TASKS)}")
    for section, values in (("input", model.graph.input), ("output", model.graph.output)):
        names = [value.name for value in values]
        settings = description.get(section, {})
        if not isinstance(settings, dict):
            raise ValueError(f"[{section}] is {settings!r}, expected a table")
        wanted = settings.get("tensor")
        if wanted is not None and wanted not in names:
            raise ValueError(f"[{section}] tensor is {wanted!r}, but the model has {', '.join(names)}")


def describe(model, text):
    """Stores the TOML document `text` in `model` as its only description."""
    others = [entry for entry in model.metadata_props if entry.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend([*others, onnx.StringStringEntryProto(key=KEY, value=text)])


def write(model, path):
    """Saves `model` deterministically and atomically."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(model.SerializeToString(deterministic=True))
    os.replace(new, path)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    model_path, description_path = map(Path, sys.argv[1:])

    try:
        # External weights stay in their files.
        model = onnx.load(model_path, load_external_data=False)
        onnx.checker.check_model(str(model_path))
    except OSError as error:
        sys.exit(f"{model_path}: {error.strerror}")
    except Exception as error:  # protobuf and the checker have no common type
        sys.exit(f"{model_path}: not a valid ONNX model: {error}")

    try:
        text = description_path.read_text(encoding="utf-8")
        check(text, model)
    except OSError as error:
        sys.exit(f"{description_path}: {error.strerror}")
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        sys.exit(f"{description_path}: {error}")

    describe(model, text)
    try:
        write(model, model_path)
    except OSError as error:
        sys.exit(f"cannot write {model_path}: {error.strerror}")


if __name__ == "__main__":
    main()
