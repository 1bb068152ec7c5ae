#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Makes an environment of Python with the packages of a list, unless the folder has it already.
#
#     pipelines/python-environment.sh FOLDER LIST [OPTION of pip install...]
#
# LIST is a file with requirements. Another environment in FOLDER is replaced.
set -euo pipefail

[[ $# -ge 2 && $1 != -* ]] || { echo "usage: pipelines/python-environment.sh FOLDER LIST [OPTION of pip install...]" >&2; exit 2; }
folder=$1 list=$2
if ! cmp -s "$list" "$folder/requirements.txt"; then
    echo "python-environment: installing what $list lists into $folder" >&2
    rm -rf "$folder"
    python3 -m venv "$folder" || { echo "python-environment: cannot create $folder; install python3-venv" >&2; exit 1; }
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${@:3}" --requirement "$list"
    # Copied last, so that an environment with it is complete.
    cp "$list" "$folder/requirements.txt"
fi
