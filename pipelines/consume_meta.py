#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints the results of faceattitude, from frames and from the bus, as an example for applications in Python.

    pipelines/consume_meta.py interview.mp4
    pipelines/consume_meta.py 'v4l2src ! decodebin ! videoconvert ! faceattitude name=faces ! fakesink'

In the description of a pipeline, faceattitude must be named `faces`. The program prints one line per face:

    frame 1.400 face 1 box 378,134,99,123 positive 0.86 scores 0.91,0.06,0.03 quality 0.94 fresh age 0.000
    message 1.400 face 1 box 378,134,99,123 positive 0.86 scores 0.91,0.06,0.03 quality 0.94 fresh age 0.000

A line contains the running time in seconds; the track; left, top, width and height in pixels; the attitude with its
confidence; the scores of positive, neutral and negative; the quality of the picture, or `none` if there are no scores;
`fresh`, or `kept` if an earlier frame carried these scores; and their age in seconds. A message without faces is
printed as `message 1.400 no face`.

Runs until the end of the stream or Ctrl-C. Errors and warnings are printed on stderr; after one, the exit status is 1.
A recording that stalls ends with an error after 30 seconds. A pipeline may wait for its source for any time; end it
after a time without frames with GStreamer's element `watchdog`.
Requires the plugin (pipelines/setup.sh) and the Debian packages python3-gi and gir1.2-gst-plugins-base-1.0.
"""

import argparse
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstVideo  # noqa: E402

FILE_PIPELINE = "uridecodebin name=source ! videoconvert ! faceattitude name=faces messages=sample ! fakesink"

# Maximum time without a frame of a recording. The element watchdog would wait for the first one for ever.
STALL_TIMEOUT_S = 30

# Deprecated, but PyGObject returns lists and arrays in structures as no other type.
warnings.filterwarnings("ignore", "GObject.ValueArray", DeprecationWarning)


def regions(buffer: Gst.Buffer) -> Iterator[GstVideo.VideoRegionOfInterestMeta]:
    """Yields each GstVideoRegionOfInterestMeta of a buffer; it is valid until the next one is requested.

    PyGObject has no iterator over metadata, and its Gst.Buffer.foreach_meta passes None. Regions can only be requested
    by id, which is 0, or a small number that counts up if the frame has analytics metadata. This function copies the
    metadata without the pixels to an empty buffer, and removes the first region of each id there until none is left.
    """
    kind = GstVideo.video_region_of_interest_meta_api_get_type()
    copy = Gst.Buffer.new()
    copy.copy_into(buffer, Gst.BufferCopyFlags.META, 0, buffer.get_size())
    number = 0
    while copy.get_meta(kind) and number < 1 << 16:
        if region := GstVideo.buffer_get_video_region_of_interest_meta_id(copy, number):
            yield region
            copy.remove_meta(region.meta)
        else:
            number += 1


def items(array: Any) -> Iterator[Any]:
    """Yields the items of a list or an array in a structure; they are valid as long as the structure is."""
    for index in range(array.n_values):
        yield array.get_nth(index)


def face_line(track: int, box: Iterable[float], label: str, structure: Gst.Structure, age_ns: int) -> str:
    """Formats a face.

    Args:
        track: number of the face's track
        box: left, top, width and height in pixels
        label: attitude
        structure: parameter of the metadata, or face of the message, with the scores and the quality
        age_ns: time since the sample
    """
    scores = [structure.get_value(name) for name in ("positive", "neutral", "negative")]
    quality = structure.get_value("quality")
    return (
        f"face {track} box {','.join(f'{number:.0f}' for number in box)}"
        f" {label} {structure.get_value('confidence'):.2f} scores {','.join(f'{score:.2f}' for score in scores)}"
        f" quality {'none' if quality is None else f'{quality:.2f}'}"
        f" {'fresh' if structure.get_value('fresh') else 'kept'} age {seconds(age_ns)}"
    )


def seconds(ns: int) -> str:
    """Formats a time in seconds."""
    return "none" if ns == Gst.CLOCK_TIME_NONE else f"{ns / Gst.SECOND:.3f}"


def print_line(line: str) -> None:
    """Prints a line in one write, because two threads print."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def on_frame(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
    """Prints the faces of a frame that leaves faceattitude, in the streaming thread: slow code delays the stream."""
    buffer = info.get_buffer()
    segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
    time = seconds(segment.to_running_time(Gst.Format.TIME, buffer.pts))
    for region in regions(buffer):
        if GLib.quark_to_string(region.roi_type) == "face":
            attitude = region.get_param("classification_layer_name:attitude")
            face = face_line(
                track=region.get_param("object_id").get_value("id"),
                box=(region.x, region.y, region.w, region.h),
                label=attitude.get_value("label"),
                structure=attitude,
                age_ns=attitude.get_value("age-ns"),
            )
            print_line(f"frame {time} {face}")
    return Gst.PadProbeReturn.OK


def on_record(record: Gst.Structure) -> None:
    """Prints the faces of a message of faceattitude, in the main thread."""
    time = seconds(record.get_value("running-time"))
    _, faces = record.get_list("faces")
    for face in items(faces):
        _, box = face.get_array("box")
        line = face_line(
            track=face.get_value("track"),
            box=items(box),
            label=face.get_value("attitude"),
            structure=face,
            age_ns=face.get_value("age"),
        )
        print_line(f"message {time} {line}")
    if faces.n_values == 0:
        print_line(f"message {time} no face")


def describe(error: GLib.Error, debug: str | None) -> str:
    """Returns an error as a sentence, without the first line of `debug`: the position in GStreamer's source code."""
    details = " ".join((debug or "").splitlines()[1:])
    return f"{error.message} {details}".strip()


class Watchdog:
    """Ends a pipeline that delivers no frame for a time."""

    def __init__(self, pipeline: Gst.Pipeline, pad: Gst.Pad) -> None:
        self.pipeline = pipeline
        self.silence_s = 0
        pad.add_probe(Gst.PadProbeType.BUFFER, self.on_frame)
        GLib.timeout_add_seconds(1, self.on_second)

    def on_frame(self, _pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        """Observes a frame."""
        self.silence_s = 0
        return Gst.PadProbeReturn.OK

    def on_second(self) -> bool:
        """Posts an error if there was no frame for too long."""
        self.silence_s += 1
        if self.silence_s < STALL_TIMEOUT_S:
            return GLib.SOURCE_CONTINUE
        problem = f"stalled: no new frame for {STALL_TIMEOUT_S} s"
        error = GLib.Error.new_literal(Gst.StreamError.quark(), problem, Gst.StreamError.FAILED)
        self.pipeline.post_message(Gst.Message.new_error(self.pipeline, error, ""))
        return GLib.SOURCE_REMOVE


def run(pipeline: Gst.Pipeline) -> bool:
    """Plays a pipeline to its end. Returns true if there were no errors and warnings."""
    loop = GLib.MainLoop()
    succeeded = True

    def on_message(_bus: Gst.Bus, message: Gst.Message) -> None:
        nonlocal succeeded
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure.get_name() == "faceattitude":
            on_record(structure)
        elif message.type in (Gst.MessageType.ERROR, Gst.MessageType.WARNING):
            is_error = message.type == Gst.MessageType.ERROR
            problem = describe(*(message.parse_error() if is_error else message.parse_warning()))
            kind = "Error" if is_error else "Warning"
            print(f"{kind} from {message.src.get_name()}: {problem}", file=sys.stderr)
            succeeded = False
            if is_error:
                loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            pipeline.recalculate_latency()
        elif message.type == Gst.MessageType.EOS:
            loop.quit()

    def on_interrupt() -> bool:
        pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE  # A second Ctrl-C ends at once.

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, on_interrupt)
    pipeline.set_state(Gst.State.PLAYING)  # Errors are posted on the bus.
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    bus.remove_signal_watch()
    return succeeded


def create_pipeline(source: str) -> Gst.Pipeline:
    """Creates the pipeline for a file, or from a description; exits with a message if that is not possible."""
    is_file = Path(source).is_file()
    if not is_file and "!" not in source:
        sys.exit(f"consume_meta: no such file: {source}")
    if not Gst.ElementFactory.find("faceattitude"):
        sys.exit("consume_meta: GStreamer does not find faceattitude; run pipelines/setup.sh")
    try:
        pipeline = Gst.parse_launch(FILE_PIPELINE if is_file else source)
    except GLib.Error as error:
        sys.exit(f"consume_meta: not a valid pipeline: {error.message}")
    if is_file:
        pipeline.get_by_name("source").set_property("uri", Gst.filename_to_uri(source))
    return pipeline


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="FILE|PIPELINE", help="a recording, or the description of a pipeline")
    arguments = parser.parse_args()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it quietly.
    Gst.init(None)
    pipeline = create_pipeline(arguments.source)
    faces = pipeline.get_by_name("faces")
    if not faces:
        sys.exit("consume_meta: the pipeline has no element named faces; use faceattitude name=faces")
    output = faces.get_static_pad("src")
    output.add_probe(Gst.PadProbeType.BUFFER, on_frame)
    if Path(arguments.source).is_file():
        Watchdog(pipeline, output)
    sys.exit(0 if run(pipeline) else 1)


if __name__ == "__main__":
    main()
