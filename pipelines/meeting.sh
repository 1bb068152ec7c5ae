#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Shows several videos as the tiles of one, each with the attitudes of its own faces. Ctrl-C ends.
#
#     pipelines/meeting.sh SOURCE...
#
#     SOURCE  elements that give video: 'v4l2src', 'rtspsrc location=rtsp://camera/stream'
#     SINK    in the environment: elements that take it, `videoconvert ! autovideosink` if not set
set -euo pipefail

die() { echo "meeting: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# -gt 0 ]] || die "a source for each participant is needed, each in quotes; see meeting.sh --help"
[[ ${SINK:-${DISPLAY:-}${WAYLAND_DISPLAY:-}} ]] || die "a window needs a screen: neither DISPLAY nor WAYLAND_DISPLAY is set; or set SINK"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer has no faceattitude; run pipelines/setup.sh"

readonly WIDTH=480 HEIGHT=270
columns=1
while ((columns * columns < $#)); do ((columns += 1)); done
rows=$((($# + columns - 1) / columns))
number=0 tiles=() inputs=()
set -f # gst-launch takes a description word by word.
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
