#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Sets up the machine and runs all tests, one stage after the other, until one fails.
#
#     tests/run.sh
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude/test-python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

stage() { # name command...
    echo "== $1"
    "${@:2}" || { echo "== failed: $1" >&2; exit 1; }
}

# Checks the attitudes in the demo's clip, and that the copy plays to the end.
check_demo() {
    python3 - "$work/average-faces-attitude.jsonl" <<'PYTHON' || return
import itertools, json, sys

with open(sys.argv[1]) as file:
    records = [json.loads(line) for line in file]
labels = [face["attitude"] for record in records for face in record["faces"]]
print(*(f"{label}: {len(list(run))}" for label, run in itertools.groupby(labels)), sep=", ")
seen = list(dict.fromkeys(label for label in labels if label != "unknown"))
if seen != ["neutral", "positive", "negative"]:
    sys.exit(f"attitudes are {seen}, expected neutral, positive, negative")
PYTHON
    gst-launch-1.0 -q filesrc location="$work/average-faces-attitude.mp4" ! decodebin ! fakesink
}

# Installs readers of Parquet, and Ray with an S3 server; without them their tests are skipped.
install_python_packages() {
    cat tests/program/readers.txt tests/program/ray.txt >"$work/requirements.txt"
    pipelines/python-environment.sh "$python" "$work/requirements.txt"
    echo "installed in $python"
}

# The tracer warns about leaks, and warnings are fatal; GST_DEBUG=GST_TRACER:7 lists the leaked objects.
run_tests() { env PYTHON="$python/bin/python" G_DEBUG=fatal_warnings GST_TRACERS=leaks cargo test --locked "$@"; }

stage "setup" pipelines/setup.sh --no-build --tests
stage "format" cargo fmt --check
stage "lints of Rust" cargo lint
stage "documentation of Rust" cargo docs
stage "lints of scripts, Python, dependencies and pages" tests/lint/run.sh
stage "Python packages for tests" install_python_packages
stage "tests of the training code" models/train/tests/run.sh
stage "tests" run_tests --workspace -- --skip batch_ray::
# Alone: a node of the cluster that has to wait for the processor counts as lost.
stage "tests on a cluster" run_tests --package gst-attitude --test program batch_ray::
stage "recordings of many formats" tests/hardening/conformance.py target/debug/gst-attitude --check
stage "tests on Debian 13" tests/debian13.sh
stage "demo" pipelines/demo.sh --output "$work"
stage "demo's results" check_demo
echo "== all passed"
