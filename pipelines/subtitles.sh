#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Records video with the faces' attitudes as a track of subtitles, which a player can show or hide. Ctrl-C ends.
#
#     pipelines/subtitles.sh SOURCE FILE.mkv
#
#     SOURCE  elements that give video: 'v4l2src', 'filesrc location=interview.mp4'
set -euo pipefail

die() { echo "subtitles: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# == 2 ]] || die "a source, in quotes, and a file are needed; see subtitles.sh --help"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer has no faceattitude; run pipelines/setup.sh"

set -f # gst-launch takes a description word by word.
# The muxer takes from the stream that is behind: a queue keeps what the other one brings meanwhile.
# shellcheck disable=SC2086
exec gst-launch-1.0 -e $1 ! decodebin ! videoconvert ! faceattitude ! tee name=analysed \
    analysed. ! queue ! videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=veryfast ! queue ! muxer. \
    analysed. ! queue ! attitudeexport format=text ! queue ! muxer. \
    matroskamux name=muxer ! filesink location="$2"
