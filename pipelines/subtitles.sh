#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Records video with the attitudes of the faces as a subtitle track, which a player can show or hide, until Ctrl-C.
#
#     pipelines/subtitles.sh SOURCE FILE.mkv
#
#     SOURCE  elements that produce video: 'v4l2src', 'filesrc location=interview.mp4'
set -euo pipefail

die() { echo "subtitles: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# == 2 ]] || die "a quoted source and a file are required; see subtitles.sh --help"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer does not find faceattitude; run pipelines/setup.sh"

set -f # gst-launch takes each word of a description as an argument.
# The muxer reads from the stream that is behind: a queue buffers the other one meanwhile.
# shellcheck disable=SC2086
exec gst-launch-1.0 -e $1 ! decodebin ! videoconvert ! faceattitude ! tee name=analyzed \
    analyzed. ! queue ! videoconvert ! video/x-raw,format=I420 ! x264enc tune=zerolatency speed-preset=veryfast ! queue ! muxer. \
    analyzed. ! queue ! attitudeexport format=text ! queue ! muxer. \
    matroskamux name=muxer ! filesink location="$2"
