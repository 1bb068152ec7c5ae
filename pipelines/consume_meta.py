#!/usr/bin/python3
# SPDX-License-Identifier: MPL-2.0
"""Prints what faceattitude says: with each frame, and on the bus. A model for applications in Python.

    pipelines/consume_meta.py interview.mp4
    pipelines/consume_meta.py 'v4l2src ! decodebin ! videoconvert ! faceattitude name=faces ! fakesink'

In a pipeline's description the element is named `faces`. There is a line for each face:

    frame 1.400 face 1 box 378,134,99,123 positive 0.91 scores 0.91,0.06,0.03 fresh age 0.000
    message 1.400 face 1 box 378,134,99,123 positive 0.91 scores 0.91,0.06,0.03 fresh age 0.000

That is running time in seconds; number of the track; left, top, width, height in pixels; attitude, with its confidence
and the scores of positive, neutral, negative; `fresh`, or `kept` where an earlier frame has carried the same scores;
their age in seconds. A message that tells of no face reads `message 1.400 no face`.

Runs until the end of the stream or Ctrl-C. Exits with 1 if anything went wrong, or was warned of, on stderr.
Needs the plugin (pipelines/setup.sh) and Debian's packages python3-gi and gir1.2-gst-plugins-base-1.0.
"""

import os
import signal
import sys
import warnings

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, Gst, GstVideo  # noqa: E402

FILE_PIPELINE = "uridecodebin name=source ! videoconvert ! faceattitude name=faces messages=sample ! fakesink"

# Deprecated, but there is no other type in which PyGObject gives the lists and arrays of a structure.
warnings.filterwarnings("ignore", "GObject.ValueArray", DeprecationWarning)


def regions(buffer):
    """Yields each GstVideoRegionOfInterestMeta of a buffer; it is valid until the next one is asked for.

    Python has no iterator over metadata, and Gst.Buffer.foreach_meta gives it None. What works is to ask for a region by
    its id, a small number that counts up where the frame has analytics metadata, else 0. So copy the metadata, and nothing
    of the picture, to an empty buffer, and take the first region of each id away there until none is left.
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


def items(array):
    """Yields the items of a list or an array within a structure; a structure among them is valid for that long only."""
    for index in range(array.n_values):
        yield array.get_nth(index)


def face_line(track, box, label, structure, age_ns):
    """The text of a face; the structure is that of the metadata or that of the message."""
    scores = [structure.get_value(name) for name in ("positive", "neutral", "negative")]
    return (
        f"face {track} box {','.join(f'{number:.0f}' for number in box)}"
        f" {label} {structure.get_value('confidence'):.2f} scores {','.join(f'{score:.2f}' for score in scores)}"
        f" {'fresh' if structure.get_value('fresh') else 'kept'} age {seconds(age_ns)}"
    )


def seconds(ns):
    return "none" if ns == Gst.CLOCK_TIME_NONE else f"{ns / Gst.SECOND:.3f}"


def say(line):
    # In one piece, because two threads write.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def on_frame(pad, info):
    """Called for each frame that leaves faceattitude, in the thread of the stream: what is slow here delays it."""
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
            say(f"frame {time} {face}")
    return Gst.PadProbeReturn.OK


def on_record(record):
    """Called for each message of faceattitude, in the main thread."""
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
        say(f"message {time} {line}")
    if faces.n_values == 0:
        say(f"message {time} no face")


def run(pipeline):
    """Plays to the end; whether nothing went wrong."""
    loop = GLib.MainLoop()
    good = True

    def on_message(_bus, message):
        nonlocal good
        structure = message.get_structure()
        if message.type == Gst.MessageType.ELEMENT and structure.get_name() == "faceattitude":
            on_record(structure)
        elif message.type in (Gst.MessageType.ERROR, Gst.MessageType.WARNING):
            is_error = message.type == Gst.MessageType.ERROR
            problem, debug = message.parse_error() if is_error else message.parse_warning()
            kind = "Error" if is_error else "Warning"
            print(f"{kind} from {message.src.get_path_string()}: {problem.message}\n{debug}", file=sys.stderr)
            good = False
            if is_error:
                loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            pipeline.recalculate_latency()
        elif message.type == Gst.MessageType.EOS:
            loop.quit()

    def on_interrupt():
        pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_REMOVE  # A second Ctrl-C ends at once.

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, on_interrupt)
    pipeline.set_state(Gst.State.PLAYING)  # What fails says so on the bus.
    loop.run()
    pipeline.set_state(Gst.State.NULL)
    bus.remove_signal_watch()
    return good


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: consume_meta.py FILE | consume_meta.py 'PIPELINE'")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it quietly.
    Gst.init(None)
    argument = sys.argv[1]
    is_file = os.path.exists(argument)
    try:
        pipeline = Gst.parse_launch(FILE_PIPELINE if is_file else argument)
    except GLib.Error as error:
        sys.exit(f"no such file, and no pipeline that works: {error.message}; is the plugin installed?")
    if is_file:
        pipeline.get_by_name("source").set_property("uri", Gst.filename_to_uri(argument))
    faces = pipeline.get_by_name("faces") if isinstance(pipeline, Gst.Pipeline) else None
    if not faces:
        sys.exit("the pipeline has no element named faces: write faceattitude name=faces")
    faces.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, on_frame)
    sys.exit(0 if run(pipeline) else 1)


if __name__ == "__main__":
    main()
