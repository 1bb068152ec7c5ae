#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the documentation site, and checks its links, width, accessibility, requests and search in Chromium.
#
#     tests/site.sh [--release] [--screenshots FOLDER]
#
#     --release      describes the release build, as pipelines/site.sh does
#     --screenshots  also writes pictures of some pages, light and dark, at each width
#
# Needs what pipelines/setup.sh --tests installs; compiling mdBook takes a few minutes the first time.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude
readonly root data

profile=() options=()
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0" | head -n -1; exit ;;
        --release) profile=(--release) ;;
        --screenshots) options=(--screenshots "${2:?--screenshots requires a folder}"); shift ;;
        *) echo "unknown argument '$1'; usage: tests/site.sh [--release] [--screenshots FOLDER]" >&2; exit 2 ;;
    esac
    shift
done
"$root/tests/lint/web.sh" --install
"$root/pipelines/site.sh" "${profile[@]}"
"$data/playwright/bin/python" "$root/tests/site/check.py" "$root/target/site" "${options[@]}"
