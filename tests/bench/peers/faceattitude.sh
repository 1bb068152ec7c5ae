#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# faceattitude.sh FILE.mp4 INTERVAL_MS: runs this plugin and prints JSON lines.
exec gst-launch-1.0 -q filesrc location="$1" ! decodebin \
    ! faceattitude mode=sync sample-interval="$(($2 * 1000000))" ! attitudeexport ! fdsink
