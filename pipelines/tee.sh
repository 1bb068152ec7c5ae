#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Records the stream of a camera unchanged and the attitudes of the faces as JSON lines, with a preview, until Ctrl-C.
#
#     pipelines/tee.sh SOURCE NAME
#
#     SOURCE  elements that produce encoded video: 'v4l2src ! image/jpeg', 'rtspsrc location=rtsp://camera/stream'
#     NAME    base name of the results, NAME.mkv and NAME.jsonl
#     SINK    environment variable: elements that consume the preview (default: `videoconvert ! autovideosink`)
set -euo pipefail

die() { echo "tee: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# == 2 ]] || die "a quoted source and a name are required; see tee.sh --help"
[[ ${SINK:-${DISPLAY:-}${WAYLAND_DISPLAY:-}} ]] || die "a window requires a display: set DISPLAY, WAYLAND_DISPLAY or SINK"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer does not find faceattitude; run pipelines/setup.sh"

sink=${SINK:-videoconvert ! autovideosink}
set -f # gst-launch takes each word of a description as an argument.
# shellcheck disable=SC2086
exec gst-launch-1.0 -e $1 ! parsebin ! 'video/x-h264;video/x-h265;video/x-vp8;video/x-vp9;video/x-av1;image/jpeg' ! tee name=camera \
    camera. ! queue ! matroskamux ! filesink location="$2.mkv" \
    camera. ! queue ! decodebin ! videoconvert ! faceattitude ! tee name=analyzed \
    analyzed. ! queue ! attitudeexport ! filesink location="$2.jsonl" buffer-mode=unbuffered \
    analyzed. ! queue ! attitudeoverlay ! $sink
