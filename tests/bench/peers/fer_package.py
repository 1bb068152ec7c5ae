# SPDX-License-Identifier: MPL-2.0
"""fer_package.py FILE.mp4 INTERVAL_MS: PyPI's package fer with its defaults, Haar cascade and TensorFlow Lite."""

import itertools
import json
import sys

import cv2
from fer.fer import FER


def main():
    path, interval_ms = sys.argv[1:]
    detector = FER()
    video = cv2.VideoCapture(path)
    frames_per_second = video.get(cv2.CAP_PROP_FPS)
    frames_per_sample = max(1, round(frames_per_second * int(interval_ms) / 1000))
    for number in itertools.count():
        if not video.grab():
            break
        if number % frames_per_sample:
            continue
        for face in detector.detect_emotions(video.retrieve()[1]):
            record = {"time": number / frames_per_second, "box": [int(side) for side in face["box"]]}
            print(json.dumps(record | {name: float(score) for name, score in face["emotions"].items()}))


main()
