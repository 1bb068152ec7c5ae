#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Builds the documentation site, which needs no network when it is viewed: target/site/index.html.
#
#     pipelines/site.sh [--release] [--output FOLDER]
#
#     --release        describes the release build of plugin and program instead of the debug build
#     --output FOLDER  folder for the site, which is replaced (default: `target/site/` in the repository)
#
# src/book/SUMMARY.md lists the pages. Needs Debian's python3-gi and gir1.2-gstreamer-1.0.
set -euo pipefail

readonly MDBOOK=0.5.4
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

die() { echo "site: $*" >&2; exit 1; }

profile=(--debug) output=$root/target/site
while [[ $# -gt 0 ]]; do
    case $1 in
        --release) profile=() ;;
        --output) [[ $# -gt 1 ]] || die "--output requires a folder"; output=$2; shift ;;
        -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0" | head -n -1; exit ;;
        *) die "unknown argument '$1'; usage: pipelines/site.sh [--release] [--output FOLDER]" ;;
    esac
    shift
done
[[ ! -d $output || -e $output/index.html || -z $(ls -A "$output") ]] || die "$output contains something else than a site"
# Debian's Python has the bindings of GStreamer.
/usr/bin/python3 -c 'import gi; gi.require_version("Gst", "1.0")' 2>/dev/null \
    || die "Debian's Python has no bindings of GStreamer: apt-get install python3-gi gir1.2-gstreamer-1.0"

mdbook=$("$root/pipelines/cargo-tool.sh" mdbook "$MDBOOK" --no-default-features --features search)
built=$("$root/pipelines/build.sh" "${profile[@]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GST_PLUGIN_PATH=$built PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 "$root/src/book/assemble.py" "$built/gst-attitude" "$work/book"
"$mdbook" build --dest-dir "$work/site" "$work/book" >"$work/log" 2>&1 || die "$(<"$work/log")"
! grep -E 'WARN|ERROR' "$work/log" || die "mdBook has warnings"
mkdir -p "$(dirname "$output")"
rm -rf "$output"
mv "$work/site" "$output"
echo "$output/index.html"
