#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the plugin and the program as packages contain them, and prints the folder that they are in.
#
#     pipelines/build.sh [--debug]
#
#     --debug  makes the debug build, most of which the tests have made, instead of the release build
set -euo pipefail

case ${1:-} in
    --debug) profile=() folder=debug ;;
    '') profile=(--release) folder=release ;;
    -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0" | head -n -1; exit ;;
    *) echo "build: unknown option '$1'; usage: pipelines/build.sh [--debug]" >&2; exit 2 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# In two calls, as in setup.sh: cargo activates other features of the dependencies for another selection of packages.
cargo build --locked "${profile[@]}" --package gst-plugin-attitude --lib >&2
cargo build --locked "${profile[@]}" --package gst-attitude --bins >&2
echo "$(cargo metadata --locked --no-deps --format-version 1 \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/$folder"
