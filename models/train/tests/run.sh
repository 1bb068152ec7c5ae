#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Tests the training code on tiny generated data.
#
#     models/train/tests/run.sh [TEST...]
#
#     TEST  a test in the notation of Python's unittest, such as tests.test_common; default: all
#
# The tests need the packages in models/train/requirements.txt, which are several GB; without them they are skipped. The
# interpreter is $TRAINING_PYTHON, the one that models/train/run.sh installed, or python3.
set -euo pipefail

case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
package=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
installed=$(dirname "$(dirname "$package")")/output/train/venv/bin/python
python=${TRAINING_PYTHON:-python3}
if [[ -z ${TRAINING_PYTHON:-} && -x $installed ]]; then
    python=$installed
fi
cd "$package"
if [[ $# -gt 0 ]]; then
    exec "$python" -W ignore::DeprecationWarning -m unittest --verbose "$@"
fi
exec "$python" -W ignore::DeprecationWarning -m unittest discover --verbose --start-directory tests --top-level-directory .
