#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Shows the video of a camera with the attitudes of the faces in a window, until Ctrl-C.
#
#     pipelines/webcam.sh [SOURCE]
#
#     SOURCE  elements that produce video (default: `v4l2src`); another camera: 'v4l2src device=/dev/video2',
#             a file: 'filesrc location=interview.mp4'
#     SINK    environment variable: elements that consume the video (default: `videoconvert ! autovideosink`)
set -euo pipefail

die() { echo "webcam: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# -le 1 ]] || die "only one quoted source is accepted; see webcam.sh --help"
[[ ${SINK:-${DISPLAY:-}${WAYLAND_DISPLAY:-}} ]] || die "a window requires a display: set DISPLAY, WAYLAND_DISPLAY or SINK"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer does not find faceattitude; run pipelines/setup.sh"

source=${1:-v4l2src}
sink=${SINK:-videoconvert ! autovideosink}
set -f # gst-launch takes each word of a description as an argument.
# shellcheck disable=SC2086
exec gst-launch-1.0 -e $source ! decodebin ! videoconvert ! faceattitude overlay=true ! $sink
