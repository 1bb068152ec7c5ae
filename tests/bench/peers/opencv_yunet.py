# SPDX-License-Identifier: MPL-2.0
"""opencv_yunet.py FILE.mp4 INTERVAL_MS YUNET.onnx ATTITUDE.onnx: OpenCV's detector, the classifier on ONNX Runtime."""

import itertools
import json
import sys

import cv2
import numpy as np
import onnxruntime

DETECTOR_SIZE = (320, 192)
CROP_SIDE = 48
LANDMARKS = CROP_SIDE * np.float32([[0.313, 0.387], [0.686, 0.385], [0.499, 0.583], [0.341, 0.752], [0.661, 0.750]])
LABELS = ["positive", "neutral", "negative"]


def main():
    path, interval_ms, detector_path, classifier_path = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    classifier = onnxruntime.InferenceSession(classifier_path, options, providers=["CPUExecutionProvider"])
    detector = cv2.FaceDetectorYN.create(detector_path, "", DETECTOR_SIZE, 0.6, 0.4)
    video = cv2.VideoCapture(path)
    frames_per_second = video.get(cv2.CAP_PROP_FPS)
    frames_per_sample = max(1, round(frames_per_second * int(interval_ms) / 1000))
    for number in itertools.count():
        if not video.grab():
            break
        if number % frames_per_sample:
            continue
        frame = video.retrieve()[1]
        scale = min(DETECTOR_SIZE[0] / frame.shape[1], DETECTOR_SIZE[1] / frame.shape[0])
        scaled = cv2.resize(frame, None, fx=scale, fy=scale)
        bottom, right = DETECTOR_SIZE[1] - scaled.shape[0], DETECTOR_SIZE[0] - scaled.shape[1]
        found = detector.detect(cv2.copyMakeBorder(scaled, 0, bottom, 0, right, cv2.BORDER_CONSTANT))[1]
        faces = [] if found is None else found / scale
        crops = []
        gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) if len(faces) else None
        for face in faces:
            transform = cv2.estimateAffinePartial2D(face[4:14].reshape(5, 2), LANDMARKS)[0]
            crops.append(cv2.warpAffine(gray, transform, (CROP_SIDE, CROP_SIDE)))
        scores = []
        if crops:
            scores = classifier.run(["scores"], {"luma": np.float32(crops)[:, None]})[0]
        for face, row in zip(faces, scores):
            record = {"time": number / frames_per_second, "box": face[:4].tolist(), "attitude": LABELS[row.argmax()]}
            print(json.dumps(record | dict(zip(LABELS, row.tolist()))))


main()
