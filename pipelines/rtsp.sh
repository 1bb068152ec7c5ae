#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Draws the attitudes of the faces into the video of an RTSP camera and publishes it on an RTSP server, until
# Ctrl-C. If the camera disconnects, the script fails; pipelines/streams.py reconnects.
#
#     pipelines/rtsp.sh CAMERA SERVER
#
#     CAMERA  URL of the camera, such as rtsp://user:password@camera/stream
#     SERVER  URL on a server that accepts publishers, such as MediaMTX: rtsp://localhost:8554/attitude
#
# Requires the Debian package gstreamer1.0-rtsp.
set -euo pipefail

die() { echo "rtsp: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0"; exit ;; esac
[[ $# == 2 && $1 == rtsp*://* && $2 == rtsp*://* ]] || die "the URLs of a camera and a server are required; see rtsp.sh --help"
gst-inspect-1.0 faceattitude >/dev/null 2>&1 || die "GStreamer does not find faceattitude; run pipelines/setup.sh"
gst-inspect-1.0 rtspclientsink >/dev/null 2>&1 || die "GStreamer does not find rtspclientsink; run apt-get install gstreamer1.0-rtsp"

# No -e as in the other scripts: there is no file to complete, and Ctrl-C would wait for an end of stream that
# rtspclientsink does not always forward. The caps select the video of cameras that also send audio. Viewers that join
# later wait for the next key frame, hence key-int-max.
exec gst-launch-1.0 rtspsrc location="$1" latency=200 ! application/x-rtp,media=video \
    ! decodebin ! videoconvert ! faceattitude overlay=true ! videoconvert ! video/x-raw,format=I420 \
    ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=50 ! rtspclientsink location="$2" latency=0
