#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Makes the recordings of a study whose results are known, and the file that describes it.

    pipelines/study/make_study.py FOLDER [--participants N] [--seed N]

Writes FOLDER/recordings/*.mp4 and FOLDER/study.toml. Half of the participants are praised, the other half are
criticized, 15 s after the start; 35 s after the start all are asked a question. The faces are averages of many photos,
nobody's portrait. After the praise most seconds show the positive face, after the criticism the negative one; before
both, and after the question, both groups show the same mixture of faces. So there are differences between the
conditions around `feedback`, and none around `question`.

Needs GStreamer with x264enc, such as the Debian packages gstreamer1.0-tools, -plugins-good and -plugins-ugly.
"""

import argparse
import random
import subprocess
import tempfile
from pathlib import Path

PICTURES = Path(__file__).parents[2] / "tests" / "fixtures"
SECONDS = 55
FEEDBACK_S = 15
QUESTION_S = 35
RESPONSE_S = 10
CONDITIONS = {"praised": "positive", "criticized": "negative"}


def faces(response, generator):
    """Returns the face of each second; `response` is the one after the feedback."""
    shown = []
    for second in range(SECONDS):
        is_response = FEEDBACK_S <= second < FEEDBACK_S + RESPONSE_S
        others = ["neutral"] * 8 + ["positive", "negative"]
        mixture = [response] * 8 + ["neutral"] * 2 if is_response else others
        shown.append(generator.choice(mixture))
    return shown


def write_recording(path, shown):
    """Writes a recording with one picture per second."""
    with tempfile.TemporaryDirectory() as folder:
        for second, face in enumerate(shown):
            (Path(folder) / f"{second:03}.png").symlink_to(PICTURES / f"{face}.png")
        pipeline = f"""
            multifilesrc location={folder}/%03d.png start-index=0 stop-index={SECONDS - 1} caps=image/png,framerate=1/1
            ! pngdec ! videoconvert ! videoscale ! video/x-raw,format=I420,width=200,height=200
            ! videobox left=-140 right=-140 top=-40 bottom=-40 ! videorate ! video/x-raw,framerate=5/1
            ! x264enc speed-preset=ultrafast ! mp4mux ! filesink name=file
        """
        # A property of its own, as a path may contain spaces.
        command = ["gst-launch-1.0", "-q", *pipeline.split(), f"location={path}"]
        subprocess.run(command, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="folder for the study; created if it does not exist")
    parser.add_argument("--participants", type=int, default=12, help="number of participants (default: 12)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random numbers (default: 1)")
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    recordings = arguments.folder / "recordings"
    recordings.mkdir(parents=True, exist_ok=True)
    study = 'title = "Praise and criticism"\nbefore = "10s"\nafter = "10s"\n'
    for number in range(arguments.participants):
        participant = f"p{number + 1:02}"
        condition, response = list(CONDITIONS.items())[number % 2]
        write_recording(recordings / f"{participant}.mp4", faces(response, generator))
        study += f"""
[[recording]]
file = "recordings/{participant}.mp4"
participant = "{participant}"
condition = "{condition}"
events = [{{ name = "feedback", start = {FEEDBACK_S} }}, {{ name = "question", start = {QUESTION_S} }}]
"""
    (arguments.folder / "study.toml").write_text(study)
    print(f"made {arguments.participants} recordings and {arguments.folder / 'study.toml'}")


if __name__ == "__main__":
    main()
