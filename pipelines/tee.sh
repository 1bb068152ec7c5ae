#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Records a camera's own stream untouched, beside it the faces' attitudes as JSON lines, and previews both. Ctrl-C ends.
#
#     pipelines/tee.sh SOURCE NAME
#
#     SOURCE  elements that give encoded video: 'v4l2src ! image/jpeg', 'rtspsrc location=rtsp://camera/stream'
#     NAME    the results are NAME.mkv and NAME.jsonl
#     SINK    in the environment: elements that take the preview, `videoconvert ! autovideosink` if not set
set -euo pipefail

die() { echo "tee: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# == 2 ]] || die "a source, in quotes, and a name are needed; see tee.sh --help"
[[ ${SINK:-${DISPLAY:-}${WAYLAND_DISPLAY:-}} ]] || die "a window needs a screen: neither DISPLAY nor WAYLAND_DISPLAY is set; or set SINK"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer has no faceattitude; run pipelines/setup.sh"

sink=${SINK:-videoconvert ! autovideosink}
set -f # gst-launch takes a description word by word.
# shellcheck disable=SC2086
exec gst-launch-1.0 -e $1 ! parsebin ! 'video/x-h264;video/x-h265;video/x-vp8;video/x-vp9;video/x-av1;image/jpeg' ! tee name=camera \
    camera. ! queue ! matroskamux ! filesink location="$2.mkv" \
    camera. ! queue ! decodebin ! videoconvert ! faceattitude ! tee name=analysed \
    analysed. ! queue ! attitudeexport ! filesink location="$2.jsonl" buffer-mode=unbuffered \
    analysed. ! queue ! attitudeoverlay ! $sink
