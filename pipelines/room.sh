#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Shows a meeting on this machine: starts a Janus server, an MQTT broker and two participants, and prints which
# participant's attitude changes when, until Ctrl-C. The records go to the broker; the address is printed.
#
#     pipelines/room.sh
#
#     PROGRAM  environment variable: the program (default: gst-attitude)
#
# Needs the Debian packages janus, mosquitto, python3-gi, gir1.2-gstreamer-1.0 and gir1.2-gst-plugins-bad-1.0.
set -euo pipefail

die() { echo "room: $*" >&2; exit 1; }
case ${1:-} in -h | --help) sed -n '4,/^set/s/^# \{0,1\}//p' "$0" | head -n -1; exit ;; esac
for program in janus mosquitto "${PROGRAM:=gst-attitude}"; do
    command -v "$program" >/dev/null || [[ -x /usr/sbin/$program ]] || die "$program is not installed; run pipelines/setup.sh --tests"
done
PATH=$PATH:/usr/sbin
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
pids=()
end() {
    trap - EXIT INT TERM
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap end EXIT
trap 'exit 0' INT TERM

# Prints a port that nobody listens on.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Waits until a server listens.
wait_for() { # port, name, log
    for ((tries = 0; tries < 100; tries++)); do
        if (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then return; fi
        sleep 0.1
    done
    die "$2 does not start: $(tail -n 5 "$3")"
}

websocket=$(free_port) http=$(free_port) mqtt=$(free_port)
echo "general: { configs_folder = \"$work\"; debug_level = 2 }" >"$work/janus.jcfg"
echo "general: { ws = true; ws_port = $websocket; ws_ip = \"127.0.0.1\" }" >"$work/janus.transport.websockets.jcfg"
echo "general: { http = true; port = $http; ip = \"127.0.0.1\"; base_path = \"/janus\" }" >"$work/janus.transport.http.jcfg"
echo "room-42: { publishers = 10; fir_freq = 10 }" >"$work/janus.plugin.videoroom.jcfg"
mkfifo "$work/input"
exec 3<>"$work/input" # Never ends: participants leave at the end of their input.
# In a process group of their own, so that Ctrl-C ends them after the program.
set -m
janus -F "$work" >"$work/janus.log" 2>&1 & pids+=($!)
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$mqtt" >"$work/mosquitto.conf"
mosquitto -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 & pids+=($!)
wait_for "$websocket" janus "$work/janus.log"
wait_for "$http" janus "$work/janus.log"
wait_for "$mqtt" mosquitto "$work/mosquitto.log"

# Each participant shows three average faces in turn, beginning with another one.
faces=(neutral positive negative)
join() { # name, first face
    local number
    mkdir "$work/$1"
    for number in 0 1 2; do
        ln -s "$root/tests/fixtures/${faces[($2 + number) % 3]}.png" "$work/$1/$number.png"
    done
    /usr/bin/python3 "$root/tests/program/room/participant.py" "http://127.0.0.1:$http/janus" 42 "$1" \
        --source "multifilesrc location=$work/$1/%d.png start-index=0 stop-index=2 loop=true caps=image/png,framerate=1/5 \
            ! pngdec ! videoconvert ! videoscale ! video/x-raw,width=240,height=240 \
            ! videobox left=-200 right=-200 top=-60 bottom=-60 ! videorate ! video/x-raw,framerate=15/1 ! clocksync" \
        <&3 >"$work/$1.log" 2>&1 &
    pids+=($!)
}
join alice 0
join bob 1
set +m
echo "Records: mosquitto_sub -p $mqtt -t 'gst-attitude/#'"
"$PROGRAM" room janus "ws://127.0.0.1:$websocket" --room 42 --format text --publish "mqtt://127.0.0.1:$mqtt"
