#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Analyzes recordings of many formats, whole and damaged, and compares the results with what ffprobe says.

    tests/hardening/conformance.py PROGRAM [--only TEXT] [--keep FOLDER] [--check | --update]

PROGRAM is the binary gst-attitude. The recordings are made with FFmpeg, which is needed for this test only: eight
seconds of an average face, neutral and then positive, at 25 frames per second, with a tone. Prints a table in Markdown.

    --only    only recordings whose name contains this
    --keep    folder for the recordings and results, which are kept
    --check   fails if a cell of another column than "damaged" has a fault that is not in EXPECTED, or is not that of
              the table in src/program/formats.md; numbers may differ
    --update  writes the table and the known faults into src/program/formats.md

A cell is OK if, for what FFmpeg decodes of the recording,

- the samples are as many, and the first and the last are when it shows them, from the start of the recording;
- every sample has one face, where it is in the upright original;
- a damaged recording is reported as damaged or failed, and an undamaged one is not. Of containers that do not say how
  long the recording is, nobody can know that they were cut.
"""

import argparse
import glob
import json
import math
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures"
# The page with the table, between two comments.
PAGE = ROOT / "src/program/formats.md"
BEGIN, END = "<!-- Written by tests/hardening/conformance.py --update -->", "<!-- End -->"
COLUMNS = ("whole", "cut", "damaged", "rotated", "offset", "variable", "late", "delayed")
SECONDS, RATE, WIDTH, HEIGHT = 8, 25, 426, 240
SAMPLE_INTERVAL = 0.2
# Place of the face's picture in the frame, in px.
FACE_SIDE, FACE_X, FACE_Y = 200, 60, 20
# Largest differences that are not a fault: of the number of samples, and of the times of the first and last one in s.
COUNT_TOLERANCE, TIME_TOLERANCE = 1, 0.21
# Intersection over union with the face of the original from which on a box is right, and the share of such samples.
MIN_OVERLAP, MIN_SHARE = 0.6, 0.9
# Time after which the program is ended, in s; a busy machine needs many minutes.
LIMIT = 3600


@dataclass(frozen=True)
class Format:
    """A container with its codecs.

    name: also the extension of the file.
    options: those of FFmpeg's output, separated by spaces; {name} and {path} are the name and the path of the file
        without its extension, with which the names of further files begin.
    variants: the variants that the container can have, besides being cut and damaged.
    has_length: whether the container says how long the recording is; otherwise nobody can know that it was cut.
    is_readable: whether GStreamer can read it; otherwise only the whole one is made.
    """

    title: str
    name: str
    options: str
    variants: tuple[str, ...] = ()
    has_sound: bool = True
    has_length: bool = True
    is_readable: bool = True

    @property
    def all_variants(self) -> tuple[str, ...]:
        return ("whole", "cut", "damaged", *self.variants) if self.is_readable else ("whole",)


H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25"
H265 = "-c:v libx265 -preset ultrafast -x265-params log-level=error -pix_fmt yuv420p -tag:v hvc1"
VPX = "-deadline realtime -cpu-used 8"
PCM = "-c:a pcm_s16le"
HLS = "-f hls -hls_time 2 -hls_playlist_type vod"
DASH = "-f dash -seg_duration 2"
FORMATS = (
    Format("MP4, H.264, AAC", "mp4", f"{H264} -c:a aac", ("rotated", "variable", "late", "delayed")),
    Format("MP4, index first", "faststart.mp4", f"{H264} -c:a aac -movflags faststart", ("rotated",)),
    Format("MP4, fragmented", "fragmented.mp4", f"{H264} -c:a aac -movflags frag_keyframe+empty_moov", ("variable",)),
    Format("MP4, H.265, AAC", "hevc.mp4", f"{H265} -c:a aac", ("rotated",)),
    Format("QuickTime, ProRes, PCM", "mov", f"-c:v prores_ks {PCM}", ("rotated", "variable")),
    Format("QuickTime, Motion JPEG", "mjpeg.mov", f"-c:v mjpeg -pix_fmt yuvj420p {PCM}"),
    Format("3GP, MPEG-4, AAC", "3gp", "-c:v mpeg4 -c:a aac"),
    Format("Matroska, H.264, AAC", "mkv", f"{H264} -c:a aac", ("offset", "variable", "late")),
    Format("Matroska, FFV1, FLAC", "ffv1.mkv", "-c:v ffv1 -pix_fmt yuv420p -c:a flac", ("offset",)),
    Format("WebM, VP8, Vorbis", "webm", f"-c:v libvpx {VPX} -c:a libvorbis", ("offset", "variable")),
    Format("WebM, VP9, Opus", "vp9.webm", f"-c:v libvpx-vp9 {VPX} -c:a libopus", ("variable",)),
    Format("AVI, MPEG-4, MP3", "avi", "-c:v mpeg4 -q:v 4 -c:a libmp3lame"),
    Format("Ogg, Theora, Vorbis", "ogv", "-c:v libtheora -q:v 7 -c:a libvorbis"),
    Format("MPEG-TS, H.264, AAC", "ts", f"{H264} -c:a aac", ("offset", "variable", "late"), has_length=False),
    Format("MPEG-PS, MPEG-2, MP2", "mpg", "-c:v mpeg2video -q:v 4 -c:a mp2", ("offset",), has_length=False),
    Format("FLV, H.264, AAC", "flv", f"{H264} -c:a aac", ("variable",)),
    Format("ASF, WMV 2, WMA 2", "wmv", "-c:v wmv2 -q:v 4 -c:a wmav2"),
    Format("MXF, MPEG-2, PCM", "mxf", f"-c:v mpeg2video -q:v 4 {PCM}"),
    Format("NUT, MPEG-4, MP3", "nut", "-c:v mpeg4 -q:v 4 -c:a libmp3lame", has_length=False),
    Format(
        "HLS, fragmented MP4",
        "m3u8",
        f"{H264} -c:a aac {HLS} -hls_segment_type fmp4 -hls_fmp4_init_filename {{name}}-init.mp4 "
        "-hls_segment_filename {path}-%d.m4s",
    ),
    Format("HLS, MPEG-TS", "ts.m3u8", f"{H264} -c:a aac {HLS} -hls_segment_filename {{path}}-%d.ts"),
    Format(
        "DASH, H.264, AAC",
        "mpd",
        f"{H264} -c:a aac {DASH} -init_seg_name {{name}}-init-$RepresentationID$.m4s "
        "-media_seg_name {name}-$Number$-$RepresentationID$.m4s",
    ),
    Format("GIF", "gif", "", has_sound=False),
    Format("Motion JPEG stream", "mjpeg", "-c:v mjpeg -pix_fmt yuvj420p", has_sound=False, has_length=False),
    Format("H.264 stream", "h264", H264, has_sound=False, has_length=False),
    Format("MPEG-4 stream", "m4v", "-c:v mpeg4 -q:v 4 -f m4v", has_sound=False, has_length=False),
    Format("NUT, FFV1 with 16 bits", "16.nut", "-c:v ffv1 -pix_fmt yuv444p16le -c:a flac", is_readable=False),
    Format("Flash (SWF)", "swf", "-c:v flv", has_sound=False, is_readable=False),
    Format("Animated PNG", "apng", "-f apng", has_sound=False, is_readable=False),
    Format("Animated WebP", "webp", "-c:v libwebp_anim", has_sound=False, is_readable=False),
)


@dataclass(frozen=True)
class KnownFault:
    """A fault that is known.

    text: a part of its text.
    varies: whether the rest of the text differs from one run to the next; then the table has this part only.
    """

    text: str
    cause: str
    varies: bool = False


SHORT_GAP = KnownFault("to 7.3", "GStreamer's demuxer shortens a gap of more than half a second between frames.")
PICTURE = KnownFault("ignored in a folder: it is image/", "GStreamer decodes it as a picture.")
# Faults that are known, by the recording. Those of damaged recordings are not listed: encoders write other bytes, and
# decoders conceal other damage, from one run to the next.
EXPECTED = {
    "variable-plain.ts": SHORT_GAP,
    "whole-16.nut": KnownFault(
        "failed", "GStreamer's FFmpeg decoder does not support this pixel format, and does not say so.", varies=True
    ),
    "whole-plain.swf": KnownFault(
        "ignored in a folder",
        "GStreamer has no demuxer for it. If it is named, the message is: GStreamer has no "
        "application/x-shockwave-flash decoder.",
    ),
    "whole-plain.apng": PICTURE,
    "whole-plain.webp": PICTURE,
}


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def original(folder: Path) -> Path:
    """Makes the upright original without loss."""
    path = folder / "original.mkv"
    inputs = []
    for name in ("neutral", "positive"):
        inputs += ["-loop", 1, "-t", SECONDS / 2, "-r", RATE, "-i", FIXTURES / f"{name}.png"]
    inputs += ["-f", "lavfi", "-t", SECONDS, "-i", "sine=300:sample_rate=48000"]
    # A little noise keeps encoders from writing empty frames.
    graph = (
        f"[0][1]concat,scale={FACE_SIDE}:{FACE_SIDE},pad={WIDTH}:{HEIGHT}:{FACE_X}:{FACE_Y}:gray,"
        "noise=alls=4:allf=t:all_seed=1,format=yuv420p[v]"
    )
    maps = ["-map", "[v]", "-map", "2", "-c:v", "ffv1", "-c:a", "pcm_s16le"]
    ffmpeg(*inputs, "-filter_complex", graph, *maps, path)
    return path


def make(source: Path, form: Format, variant: str, path: Path) -> None:
    """Makes a variant of the original in a format."""
    inputs: list[object] = ["-i", source]
    maps = ["-map", "0:v"] + (["-map", "0:a"] if form.has_sound else [])
    name = path.name.removesuffix(path.suffix)
    options = form.options.format(name=name, path=path.with_name(name)).split()
    if variant == "rotated":
        # Pixels are turned to the left, so the tag turns them to the right.
        sideways = path.with_name("sideways-" + path.name)
        ffmpeg(*inputs, *maps, "-vf", "transpose=cclock", *options, sideways)
        ffmpeg("-i", sideways, "-c", "copy", "-metadata:s:v", "rotate=270", path)
        sideways.unlink()
        return
    if variant == "variable":
        # Every third frame is dropped, and a second stands still.
        options += ["-vf", "select='not(eq(mod(n,3),1))*not(between(t,3,4))'", "-vsync", "vfr"]
    elif variant == "offset":
        options += ["-output_ts_offset", "6"]
    elif variant == "late":
        # The sound starts at once, the picture three seconds later.
        inputs, maps = ["-itsoffset", "3", "-i", source, "-i", source], ["-map", "0:v", "-map", "1:a"]
    elif variant == "delayed":
        inputs = ["-itsoffset", "2", "-i", source]
    ffmpeg(*inputs, *maps, *options, path)
    pieces = sorted(path.parent.glob(f"{glob.escape(name)}-[0-9]*"))
    if variant == "cut" and pieces:
        for piece in pieces[len(pieces) * 6 // 10 :]:
            piece.unlink()
    elif variant == "damaged" and pieces:
        damage(pieces[len(pieces) // 2])
    elif variant == "cut":
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 6 // 10])
    elif variant == "damaged":
        damage(path)


def damage(path: Path) -> None:
    """Overwrites a part in the middle of a file with noise."""
    data = bytearray(path.read_bytes())
    noise = random.Random(1)
    start = len(data) // 2
    for index in range(start, start + max(64, len(data) // 50)):
        data[index] = noise.randrange(256)
    path.write_bytes(data)


def shown_at(path: Path) -> list[float]:
    """Returns when FFmpeg shows the frames of a recording, in s from its start."""
    command = [
        "ffprobe",
        "-v",
        "quiet",
        "-of",
        "json",
        "-show_entries",
        "format=start_time:frame=best_effort_timestamp_time",
    ]
    found = subprocess.run(
        [*command, "-select_streams", "v:0", "-show_frames", path], capture_output=True, text=True, check=False
    )
    parsed = json.loads(found.stdout or "{}")
    times = [frame.get("best_effort_timestamp_time") for frame in parsed.get("frames", [])]
    if not times:
        return []
    if any(time is None for time in times):
        return [index / RATE for index in range(len(times))]
    start = float(parsed.get("format", {}).get("start_time") or 0)
    return sorted(float(time) - start for time in times)


def samples_of(times: list[float]) -> list[float]:
    """Returns the times of the frames that are analyzed."""
    due, chosen = -math.inf, []
    for time in times:
        if time + 1e-4 >= due:
            chosen.append(time)
            due = max(due, time) if due == -math.inf else due
            while due <= time + 1e-4:
                due += SAMPLE_INTERVAL
    return chosen


def overlap(a: list[float], b: list[float]) -> float:
    """Returns the intersection over union of boxes (x, y, width, height)."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(0.0, width) * max(0.0, height)
    return common / (a[2] * a[3] + b[2] * b[3] - common)


def turned(box: list[float]) -> list[float]:
    """Converts a box in the upright original to one in the frame that was turned to the left."""
    x, y, width, height = box
    return [y, WIDTH - x - width, height, width]


def fault_of(
    form: Format, variant: str, shown: list[float], event: dict, records: list[dict], face: list[float]
) -> str | None:
    """Returns what is wrong with the result for a recording; None if it is right.

    shown: what `shown_at` returns. event: the last one of the recording. face: the box in the original.
    """
    is_damaged = variant in ("cut", "damaged")
    reason = event.get("damage") or event.get("reason")
    if event["event"] in ("failed", "ignored") and not is_damaged:
        return {"failed": "failed", "ignored": "ignored in a folder"}[event["event"]] + f": {reason}"
    if reason and not is_damaged:
        return f"called damaged: {reason}"
    is_known = form.has_length or variant == "damaged"
    if is_damaged and is_known and not reason and len(shown) < RATE * SECONDS - 2:
        return "not called damaged"
    if not shown:
        return None
    wanted, times = samples_of(shown), [record["stream_time_ns"] / 1e9 for record in records]
    if not times:
        return "no sample"
    if is_damaged:
        # Decoders differ in what they make of damage.
        if times[-1] < wanted[-1] - 1:
            return f"up to {times[-1]:.1f} s, FFmpeg reads up to {wanted[-1]:.1f} s"
        return None
    if abs(len(times) - len(wanted)) > COUNT_TOLERANCE:
        return f"{len(times)} samples instead of {len(wanted)}"
    if abs(times[0] - wanted[0]) > TIME_TOLERANCE or abs(times[-1] - wanted[-1]) > TIME_TOLERANCE:
        return f"from {times[0]:.2f} to {times[-1]:.2f} s instead of {wanted[0]:.2f} to {wanted[-1]:.2f} s"
    expected = turned(face) if variant == "rotated" and records[0]["width"] < records[0]["height"] else face
    boxes = [[one["box"] for one in record["faces"]] for record in records]
    right = sum(len(found) == 1 and overlap(found[0], expected) > MIN_OVERLAP for found in boxes)
    return f"the face in {right} of {len(boxes)} samples" if right < MIN_SHARE * len(boxes) else None


def analyze(program: Path, folder: Path, output: Path) -> dict[str, dict]:
    """Analyzes all recordings in a folder. Returns the last event of each, by the name of the file."""
    command = [program, "analyze", folder, "-o", output, "--force", "--json", "--formats", "records.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
    events = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        if "input" in event:
            events[Path(event["input"]).name] = event
    return events


def records_of(output: Path, event: dict) -> list[dict]:
    path = output / event.get("name", "") / "records.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def table(rows: list[tuple[str, ...]]) -> list[str]:
    lines = ["| format | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def causes(files: dict[tuple[str, str], Path]) -> list[str]:
    """Returns a list of the known faults."""
    titles: dict[str, list[str]] = {}
    for (title, variant), path in files.items():
        known = EXPECTED.get(path.name)
        if known:
            name = title if variant == "whole" else f"{title}, {variant}"
            titles.setdefault(known.cause, []).append(f"**{name}**")
    return [f"- {' and '.join(names)}: {cause}" for cause, names in titles.items()]


def differences(rows: list[tuple[str, ...]]) -> list[str]:
    """Returns the rows that differ from those of the page in more than numbers and the column of damage."""

    def compared(cells: list[str]) -> list[str]:
        del cells[1 + COLUMNS.index("damaged")]
        return [re.sub(r"[0-9]+(\.[0-9]+)?", "N", cell.strip()) for cell in cells]

    lines = PAGE.read_text().partition(BEGIN)[2].splitlines()
    documented = [compared(line.split("|")[1:-1]) for line in lines if line.startswith("| ")]
    return [f"{row[0]}: {PAGE.name} has another row" for row in rows if compared(list(row)) not in documented]


def update(lines: list[str]) -> None:
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--update", action="store_true")
    options = parser.parse_args()
    if not shutil.which("ffmpeg"):
        sys.exit("conformance.py: ffmpeg is not installed; on Debian: apt-get install ffmpeg")

    with tempfile.TemporaryDirectory() as temporary:
        work = options.keep or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        source = original(work)
        recordings = work / "recordings"
        recordings.mkdir(exist_ok=True)
        files: dict[tuple[str, str], Path] = {}
        for form in FORMATS:
            for variant in form.all_variants:
                kind = "" if "." in form.name else "plain."
                path = recordings / f"{variant}-{kind}{form.name}"
                if options.only in path.name:
                    files[form.title, variant] = path
                    if not path.exists():
                        make(source, form, variant, path)
        reference = analyze(options.program, source, work / "reference")[source.name]
        boxes = [record["faces"][0]["box"] for record in records_of(work / "reference", reference)]
        face = [sorted(values)[len(values) // 2] for values in zip(*boxes)]
        events = analyze(options.program, recordings, work / "results")

        rows, faults = [], []
        for form in FORMATS:
            cells = []
            for variant in COLUMNS:
                path = files.get((form.title, variant))
                if path is None:
                    cells.append("")
                    continue
                event = events.get(path.name, {"event": "failed", "reason": "it was ignored"})
                records = records_of(work / "results", event)
                fault = fault_of(form, variant, shown_at(path), event, records, face)
                known = EXPECTED.get(path.name)
                is_known = fault is not None and known is not None and known.text in fault
                if fault and variant != "damaged" and not is_known:
                    faults.append(f"{path.name}: {fault}")
                text = known.text if is_known and known.varies else fault
                cells.append("OK" if text is None else text.replace("|", "/"))
            if any(cells):
                rows.append((form.title, *cells))
        print(f"{len(files)} recordings in {len(rows)} formats\n")
        print("\n".join(table(rows)))
        if options.update:
            update([*table(rows), "", *causes(files)])
        if options.check:
            faults += differences(rows)
        for fault in faults:
            print(fault, file=sys.stderr)
        if options.check and faults:
            sys.exit(f"{len(faults)} of {len(files)} recordings have unknown faults, or {PAGE.name} must be updated")


if __name__ == "__main__":
    main()
