# SPDX-License-Identifier: MPL-2.0
"""Writes an H.264 recording of average faces in front of a wall.

    clips.py FILE.mp4 WIDTH HEIGHT FACES SECONDS MBIT_PER_SECOND

The faces are averages of many photos, so that they show no real person. They move and change their attitude. Grain like
that of a camera makes the recording as expensive to decode as a real one.
"""

import pathlib
import subprocess
import sys

import cv2
import numpy as np

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
FRAMES_PER_SECOND = 30
# Radii of the visible ellipse, as fractions of the side of the square picture.
RADII = (0.37, 0.46)
# Seconds between changes of the attitude.
ATTITUDE_S = 3
GRAIN = 3.0

random = np.random.default_rng(1)


def background(width, height):
    """Draws a gray wall with soft blotches."""
    picture = np.full((height, width), 110, np.float32)
    for columns in (4, 16):
        blotches = random.normal(0, 12, (columns * height // width, columns)).astype(np.float32)
        picture += cv2.resize(blotches, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)


def opacity(side):
    """Returns a mask that is 1 inside the face and 0 outside, with a soft border."""
    offset = (np.arange(side) + 0.5) / side - 0.5
    distance = np.hypot(offset[None, :] / RADII[0], offset[:, None] / RADII[1])
    return np.clip(2 * (1 - distance), 0, 1)[:, :, None].astype(np.float32)


def face(pictures, seconds):
    """Blends the square pictures of two attitudes, according to the time."""
    index, share = divmod(seconds / ATTITUDE_S, 1)
    share = np.clip(4 * share - 3, 0, 1)
    first, second = (pictures[(int(index) + step) % len(pictures)] for step in (0, 1))
    return cv2.addWeighted(first, 1 - share, second, share, 0)


def frames(width, height, faces, seconds):
    side = min(height // 2, width // (faces + 1))
    names = ("neutral", "positive", "negative")
    pictures = [cv2.imread(str(FIXTURES / f"{name}.png")).astype(np.float32) for name in names]
    pictures = [cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA) for picture in pictures]
    empty, alpha = background(width, height), opacity(side)
    grain = [cv2.GaussianBlur(random.normal(0, 1, empty.shape).astype(np.float32), (0, 0), 0.7) for _ in range(8)]
    grain = [GRAIN * layer / layer.std() for layer in grain]
    for number in range(seconds * FRAMES_PER_SECOND):
        time = number / FRAMES_PER_SECOND
        frame = empty.copy()
        for index in range(faces):
            x = int(width * (index + 1) / (faces + 1) - side / 2 + 0.03 * width * np.sin(time + index))
            y = int(height / 2 - side / 2 + 0.1 * height * np.cos(0.7 * time + 2 * index))
            region = frame[y : y + side, x : x + side]
            region += alpha * (face(pictures, time + index) - region)
        frame += grain[random.integers(len(grain))]
        yield np.clip(frame, 0, 255).astype(np.uint8)


def main():
    path, *numbers = sys.argv[1:]
    width, height, faces, seconds, rate = map(int, numbers)
    encode = (
        f"fdsrc ! rawvideoparse format=bgr width={width} height={height} framerate={FRAMES_PER_SECOND}/1 "
        f"! videoconvert ! video/x-raw,format=I420 ! x264enc bitrate={1000 * rate} ! h264parse ! mp4mux"
    )
    command = ["gst-launch-1.0", "-q", *encode.split(), "!", "filesink", f"location={path}"]
    encoder = subprocess.Popen(command, stdin=subprocess.PIPE)
    for frame in frames(width, height, faces, seconds):
        encoder.stdin.write(frame.tobytes())
    encoder.stdin.close()
    sys.exit(encoder.wait())


main()
