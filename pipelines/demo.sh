#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
#
# Tracks the faces in a video, and writes their attitudes into a copy of the video and into a file.
#
#     pipelines/demo.sh [--show] [--output FOLDER] [FILE|URL|DEVICE]
#
#     FILE             a recording that GStreamer can play; default: a generated clip of average faces
#     URL              rtsp://, rtsps://, http://, https:// or file://
#     DEVICE           a camera, such as /dev/video0
#     --show           also shows the video in a window
#     --output FOLDER  folder for the results (default: `output/` in the repository)
#
# A camera or a stream is analyzed until Ctrl-C. Results: NAME-attitude.mp4 (.mkv if live), the video with boxes
# and labels, and NAME-attitude.jsonl, one JSON object per sample. Runs setup.sh first.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

die() { echo "demo: $*" >&2; exit 1; }
usage() { sed -n '/^# Tracks/,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
example() { # name, then its arguments
    local features=()
    ! pkg-config --exists gstreamer-analytics-1.0 || features=(--features gst-plugin-attitude/analytics)
    cargo run --manifest-path "$root/Cargo.toml" --quiet --release --locked \
        --package gst-attitude-pipelines "${features[@]}" --example "$@"
}
# Quotes a value for a pipeline description.
quote() { sed 's/[\\"]/\\&/g; s/.*/"&"/' <<<"$1"; }

show=false output=$root/output input=
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) usage; exit ;;
        --show) show=true ;;
        --output) [[ $# -gt 1 ]] || die "--output requires a folder"; output=$2; shift ;;
        --output=*) output=${1#*=} ;;
        --) shift; break ;;
        -*) die "unknown option '$1'; see demo.sh --help" ;;
        *) [[ -z $input ]] || die "only one video is accepted; see demo.sh --help"; input=$1 ;;
    esac
    shift
done
[[ $# -lt 2 && ( $# -eq 0 || -z $input ) ]] || die "only one video is accepted; see demo.sh --help"
input=${1:-$input}

if $show && [[ -z ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
    die "--show requires a display: neither DISPLAY nor WAYLAND_DISPLAY is set"
fi
live=false
case $input in
    rtsp://* | rtsps://*) live=true ;;
    http://* | https://* | file://* | '') ;;
    /dev/*) live=true; [[ -c $input && -r $input ]] || die "cannot read camera $input" ;;
    *) [[ -f $input && -r $input ]] || die "cannot read file $input" ;;
esac

"$root/pipelines/setup.sh" --no-program
mkdir -p "$output"
output=$(cd "$output" && pwd)
if [[ -z $input ]]; then
    input=$output/average-faces.mp4
    echo "demo: generating a clip of average faces"
    example average_faces -- "$input"
fi

audio=false
case $input in
    /dev/*) source="v4l2src device=$(quote "$input") ! decodebin" ;;
    *://*) source="uridecodebin uri=$(quote "$input")" ;;
    *)
        uri=$(python3 -c 'import pathlib, sys; print(pathlib.Path(sys.argv[1]).resolve().as_uri())' "$input")
        streams=$(LC_ALL=C gst-discoverer-1.0 "$uri") || true
        [[ $streams == *'video #'* ]] || die "no video in $input"
        [[ $streams != *'audio #'* ]] || audio=true
        source="uridecodebin uri=$uri"
        ;;
esac
if $live; then extension=mkv muxer=matroskamux; else extension=mp4 muxer=mp4mux; fi
case $input in
    *://*) name=$(basename -- "${input%%\?*}") ;;
    *) name=$(basename -- "$input") ;;
esac
results=$output/${name%.*}-attitude

# A window shows frames in real time, and a picture may stand for any time.
watchdog='! watchdog timeout=30000'
! $show || watchdog=
# Recordings of phones can be rotated, and H.264 requires even sizes.
pipeline="$source name=source
    source. ! videoconvert ! videoflip video-direction=auto $watchdog ! queue
        ! faceattitude overlay=true messages=sample ! tee name=drawn
    drawn. ! queue ! videoconvert ! videoscale
        ! video/x-raw,format=I420,width=[2,16384,2],height=[2,16384,2]
        ! x264enc pass=qual quantizer=21 speed-preset=veryfast tune=zerolatency
        ! $muxer name=muxer ! filesink location=$(quote "$results.$extension")"
if $audio; then
    pipeline+=" source. ! audioconvert ! audioresample ! queue ! avenc_aac ! queue ! muxer."
fi
if $show; then
    pipeline+=" drawn. ! queue ! videoconvert ! autovideosink"
fi

echo "demo: analyzing $input$($live && echo ' until Ctrl-C')"
trap : INT # The pipeline handles Ctrl-C; the summary follows.
if ! example record_attitude -- "$results.jsonl" "$pipeline"; then
    find "$results.$extension" "$results.jsonl" -empty -delete 2>/dev/null || true
    exit 1
fi
trap - INT

python3 - "$input" "$results.$extension" "$results.jsonl" <<'PYTHON'
import collections, json, sys

video, copy, lines = sys.argv[1:]
with open(lines) as file:
    records = [json.loads(line) for line in file]
if not records:
    sys.exit(f"demo: no frame in {video} was analyzed")
first, last = records[0], records[-1]
seconds = ((last["running_time_ns"] or 0) - (first["running_time_ns"] or 0)) / 1e9
faces = [face for record in records for face in record["faces"]]
shares = collections.Counter(face["attitude"] for face in faces).most_common()
print(f"video     {video}, {last['width']}x{last['height']}, {seconds:.1f} s")
print(f"samples   {len(records)} in {last['frame'] - first['frame'] + 1} frames")
print(f"faces     {len({face['track'] for face in faces})}, at most {max(len(record['faces']) for record in records)} at once")
print("attitude ", ", ".join(f"{name} {count / len(faces):.0%}" for name, count in shares) or "no faces found")
print(f"results   {copy} and {lines}")
if seconds == 0 and len(records) > 1:
    print("warning   all frames have the same timestamp, as with GStreamer's GIF decoder: the copy plays in an instant; convert the video first")
PYTHON
