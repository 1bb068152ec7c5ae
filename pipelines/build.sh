#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the plugin and the program, and prints the folder that they are in.
#
#     pipelines/build.sh [--debug] [plugin | program]
#
#     --debug            makes the debug build, most of which the tests have made, instead of the release build
#     plugin or program  builds only this one
#
# The plugin uses GStreamer's analytics library if that is installed.
set -euo pipefail

profile=(--release) folder=release parts=(plugin program)
for argument; do
    case $argument in
        --debug) profile=() folder=debug ;;
        plugin | program) parts=("$argument") ;;
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0" | head -n -1; exit ;;
        *) echo "build: unknown argument '$argument'; usage: pipelines/build.sh [--debug] [plugin | program]" >&2; exit 2 ;;
    esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."
features=()
if pkg-config --exists gstreamer-analytics-1.0; then
    features=(--features gst-plugin-attitude/analytics)
fi
# In two calls: cargo activates other features of the dependencies for another selection of packages, and demo.sh, which
# needs only the plugin, finds it built.
for part in "${parts[@]}"; do
    case $part in
        plugin) selection=(--package gst-plugin-attitude --lib) ;;
        program) selection=(--package gst-attitude --bins) ;;
    esac
    echo "build: $part${features[*]:+ with ${features[*]}}" >&2
    cargo build --locked "${profile[@]}" "${selection[@]}" "${features[@]}" >&2
done
echo "$(cargo metadata --locked --no-deps --format-version 1 \
    | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')/$folder"
