#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Shows several videos as tiles of one, each with the attitudes of its own faces, until Ctrl-C.
#
#     pipelines/meeting.sh SOURCE...
#
#     SOURCE  elements that produce video: 'v4l2src', 'rtspsrc location=rtsp://camera/stream'
#     SINK    environment variable: elements that consume the video (default: `videoconvert ! autovideosink`)
set -euo pipefail

die() { echo "meeting: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# -gt 0 ]] || die "at least one quoted source is required, one per participant; see meeting.sh --help"
[[ ${SINK:-${DISPLAY:-}${WAYLAND_DISPLAY:-}} ]] || die "a window requires a display: set DISPLAY, WAYLAND_DISPLAY or SINK"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer does not find faceattitude; run pipelines/setup.sh"

readonly WIDTH=480 HEIGHT=270
columns=1
while ((columns * columns < $#)); do ((columns += 1)); done
rows=$((($# + columns - 1) / columns))
number=0 tiles=() inputs=()
set -f # gst-launch takes each word of a description as an argument.
for source; do
    tiles+=("sink_$number::xpos=$((number % columns * WIDTH))" "sink_$number::ypos=$((HEIGHT * (number / columns)))")
    # shellcheck disable=SC2206
    inputs+=($source ! decodebin ! videoconvert ! faceattitude name="participant-$((number + 1))" overlay=true
        ! videoconvert ! videoscale ! "video/x-raw,width=$WIDTH,height=$HEIGHT,pixel-aspect-ratio=1/1"
        ! queue ! "meeting.sink_$number")
    ((number += 1))
done
sink=${SINK:-videoconvert ! autovideosink}
# shellcheck disable=SC2086
exec gst-launch-1.0 -e compositor name=meeting background=black "${tiles[@]}" \
    ! "video/x-raw,width=$((columns * WIDTH)),height=$((rows * HEIGHT)),framerate=30/1" ! $sink "${inputs[@]}"
