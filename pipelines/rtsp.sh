#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Takes the video of an RTSP camera, draws the faces' attitudes and publishes it on an RTSP server. Ctrl-C
# ends; where the camera goes away it ends with an error (pipelines/streams.py survives that).
#
#     pipelines/rtsp.sh CAMERA SERVER
#
#     CAMERA  such as rtsp://user:password@camera/stream
#     SERVER  a path on a server that one may publish on, such as MediaMTX: rtsp://localhost:8554/attitude
#
# Needs Debian's package gstreamer1.0-rtsp.
set -euo pipefail

die() { echo "rtsp: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# == 2 && $1 == rtsp*://* && $2 == rtsp*://* ]] || die "the addresses of a camera and a server are needed; see rtsp.sh --help"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer has no faceattitude; run pipelines/setup.sh"
gst-inspect-1.0 rtspclientsink >/dev/null 2>&1 || die "GStreamer has no rtspclientsink; apt-get install gstreamer1.0-rtsp"

# No -e as in the other scripts: there is no file to complete, and rtspclientsink does not always let an end of stream
# through, for which Ctrl-C then waits. A camera may have sound, too. Who comes later than the first frame waits for
# the next key frame.
exec gst-launch-1.0 rtspsrc location="$1" latency=200 ! application/x-rtp,media=video \
    ! decodebin ! videoconvert ! faceattitude overlay=true ! videoconvert ! video/x-raw,format=I420 \
    ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=50 ! rtspclientsink location="$2" latency=0
