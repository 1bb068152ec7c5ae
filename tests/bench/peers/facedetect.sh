#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# facedetect.sh FILE.mp4 INTERVAL_MS: runs GStreamer's facedetect and prints its messages, which contain the faces.
cascades=/usr/share/opencv4/haarcascades
exec gst-launch-1.0 -m filesrc location="$1" ! decodebin \
    ! videorate drop-only=true ! "video/x-raw,framerate=1000/$(($2 ? $2 : 1))" ! videoconvert \
    ! facedetect profile=$cascades/haarcascade_frontalface_default.xml nose-profile=$cascades/haarcascade_eye.xml \
        mouth-profile=$cascades/haarcascade_eye.xml eyes-profile=$cascades/haarcascade_eye.xml \
    ! fakesink
