#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Shows a camera in a window, with the faces' attitudes drawn. Ctrl-C ends.
#
#     pipelines/webcam.sh [SOURCE]
#
#     SOURCE  elements that give video, `v4l2src` if left out; another camera: 'v4l2src device=/dev/video2',
#             a file at its own pace: 'filesrc location=interview.mp4'
#     SINK    in the environment: elements that take it, `videoconvert ! autovideosink` if not set
set -euo pipefail

die() { echo "webcam: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# -le 1 ]] || die "one source at a time, in quotes; see webcam.sh --help"
[[ ${SINK:-${DISPLAY:-}${WAYLAND_DISPLAY:-}} ]] || die "a window needs a screen: neither DISPLAY nor WAYLAND_DISPLAY is set; or set SINK"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer has no faceattitude; run pipelines/setup.sh"

source=${1:-v4l2src}
sink=${SINK:-videoconvert ! autovideosink}
set -f # gst-launch takes a description word by word.
# shellcheck disable=SC2086
exec gst-launch-1.0 -e $source ! decodebin ! videoconvert ! faceattitude overlay=true ! $sink
