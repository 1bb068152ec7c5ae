# SPDX-License-Identifier: MPL-2.0
"""Tests the steps of the detector, from a data folder to its file."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from attitude_training.detector import augmentation, composites, export, heights, network, report, train
from attitude_training.detector.detections import (
    BOX,
    SCORE,
    UNCERTAIN,
    CenterMaps,
    Yunet,
    from_maps,
    ious,
    without_overlaps,
)
from attitude_training.detector.shards import shards_in
from attitude_training.detector.targets import WEIGHT, targets_of

from . import support

DESCRIPTION = Path(__file__).parents[2] / "face-detector.toml"


def run(step, *arguments):
    """Runs a step. Returns what it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        step.main([str(argument) for argument in arguments])
    return output.getvalue()


def face(x, y, width, height, score=1.0):
    """Returns the row of a face with landmarks of a drawn one."""
    points = np.array([x, y]) + support.LANDMARKS * (width, height)
    return np.array([score, x, y, width, height, *points.ravel()], np.float32)


class Steps(unittest.TestCase):
    """Every step runs on what the steps before it wrote."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.work = Path(folder.name)
        cls.data = cls.work / "data"
        cls.data.mkdir()
        support.write_data(cls.data)
        cls.yunet = cls.work / "yunet.onnx"
        support.write_yunet(cls.yunet)
        cls.training, cls.validation = cls.work / "training", cls.work / "validation"
        for target, split in ((cls.training, "train"), (cls.validation, "validation")):
            options = ["--split", split, "--count", 12, "--shard", 4, "--processes", 2]
            run(composites, cls.data, cls.yunet, target, *options)
        cls.checkpoint = cls.work / "detector.pt"
        options = ["--epochs", 1, "--batch", 4, "--workers", 0]
        cls.log = run(train, cls.training, cls.validation, cls.checkpoint, *options)

    def test_composites_have_faces_in_the_format_of_the_training(self):
        shards = shards_in(self.training)
        self.assertEqual([len(shard.images) for shard in shards], [4, 4, 4])
        rows = np.concatenate([rows for shard in shards for rows in shard.rows])
        self.assertGreater(len(rows), 0)
        self.assertEqual(rows.shape[1], 15)
        self.assertTrue((rows[:, 3:5] > 0).all())
        self.assertTrue((rows[:, SCORE] == UNCERTAIN).any())

    def test_complete_shards_are_not_written_again(self):
        options = ["--count", 12, "--shard", 4, "--processes", 1]
        before = {path: path.stat().st_mtime_ns for path in self.training.iterdir()}
        run(composites, self.data, self.yunet, self.training, *options)
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in self.training.iterdir()})

    def test_training_prints_recall_and_false_faces(self):
        self.assertRegex(self.log, r"epoch 1 score [\d.]+ geometry [\d.]+ recall [\d.]+ [\d.]+ false [\d.]+ [\d.]+")

    def test_a_training_starts_from_an_earlier_one(self):
        options = ["--init", self.checkpoint, "--epochs", 1, "--batch", 4, "--workers", 0]
        self.assertIn("epoch 1", run(train, self.training, self.validation, self.work / "second.pt", *options))

    def test_a_training_starts_from_an_exported_one(self):
        path = self.work / "earlier.onnx"
        trained = network.load(self.checkpoint)
        export.write(trained, 1.0, 0.0, path, DESCRIPTION)
        luma = torch.rand(2, 1, 96, 160) * 255 / network.LUMA_SCALE
        for expected, found in zip(trained(luma), network.load(path)(luma)):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
        options = ["--init", path, "--epochs", 1, "--batch", 4, "--workers", 0]
        self.assertIn("epoch 1", run(train, self.training, self.validation, self.work / "third.pt", *options))

    def test_the_model_computes_what_the_network_does(self):
        path = self.work / "detector.onnx"
        trained = network.load(self.checkpoint)
        export.write(trained, 1.5, -0.5, path, DESCRIPTION)
        # Five cells at the largest stride: an odd number.
        luma = np.random.default_rng(0).integers(0, 256, (160, 96)).astype(np.uint8)
        with torch.no_grad():
            maps = network.Maps(trained, 1.5, -0.5).eval()(torch.from_numpy(luma)[None, None].float())
        expected = from_maps([level[0].numpy() for level in maps], 0.0)
        found = CenterMaps(path)(luma, 0.0)
        self.assertEqual(found.shape, expected.shape)
        np.testing.assert_allclose(found[:5], expected[:5], rtol=1e-2, atol=1e-2)

    def test_the_report_has_heights_groups_and_comparisons(self):
        path = self.work / "reported.onnx"
        export.write(network.load(self.checkpoint), 1.0, 0.0, path, DESCRIPTION)
        options = ["--count", 1, "--photos", 2, "--split", "validation", "--failures", self.work / "failures"]
        text = run(report, self.data, self.yunet, path, *options)
        for expected in (
            "| 640 px |",
            "| 12 px |",
            "| ethnicity | black |",
            "1 calls, 320x192, dark",
            "relative to YuNet",
        ):
            self.assertIn(expected, text)


class Calibration(unittest.TestCase):
    def test_scores_become_shares_of_true_detections(self):
        rng = np.random.default_rng(0)
        pairs = []
        for _ in range(400):
            score = rng.uniform(0.2, 0.95)
            found = face(0, 0, 50, 50, score)[None]
            expected = found if rng.random() < score**2 else face(200, 200, 50, 50)[None]
            pairs.append((found, expected))
        original, export.detections = export.detections, lambda *_: iter(pairs)
        self.addCleanup(setattr, export, "detections", original)
        slope, shift = export.calibration(None, [])
        self.assertGreater(slope, 1)
        self.assertLess(shift, 0)


class Heights(unittest.TestCase):
    def test_a_framed_face_has_its_height_and_place(self):
        picture, box, _ = support.drawn(200, "neutral", np.random.default_rng(0))
        portrait = heights.Portrait(np.repeat(picture[:, :, None], 3, 2), box)
        background = np.full((50, 50, 3), 9, np.uint8)
        for height in (24, 160, 480):
            framed = heights.framed(portrait, height, background)
            bright = np.argwhere(framed.image.max(2) > 150)
            self.assertEqual(framed.image.shape, (640, 640, 3))
            self.assertAlmostEqual(np.ptp(bright[:, 0]), height, delta=max(3, 0.03 * height))
            np.testing.assert_allclose((bright.max(0) + bright.min(0)) / 2, 319.5, atol=2)
            np.testing.assert_allclose(framed.box[:2] + framed.box[2:] / 2, 320)

    def test_a_found_face_overlaps_the_known_one(self):
        portrait = heights.Portrait(np.zeros((640, 640, 3), np.uint8), np.array([100.0, 100, 200, 200]))
        self.assertTrue(heights.is_found(lambda *_: face(55, 52, 90, 95)[None], portrait, 320))
        self.assertFalse(heights.is_found(lambda *_: face(200, 200, 90, 95)[None], portrait, 320))
        self.assertFalse(heights.is_found(lambda *_: np.empty((0, 15)), portrait, 320))


class Rows(unittest.TestCase):
    def test_targets_decode_to_the_faces(self):
        rows = np.stack([face(40, 30, 30, 40), face(150, 60, 90, 100)])
        targets = targets_of(rows, 256, 192)
        limits = np.cumsum([0] + [256 // stride * (192 // stride) for stride in (8, 16, 32)])
        maps = [
            targets[:15, low:high].reshape(15, 192 // stride, 256 // stride)
            for low, high, stride in zip(limits, limits[1:], (8, 16, 32))
        ]
        found = from_maps(maps, 0.5)
        np.testing.assert_allclose(found[np.argsort(found[:, 1])][:, 1:], rows[:, 1:], atol=0.01)

    def test_an_uncertain_head_is_neither_face_nor_background(self):
        near = [face(40, 30, 30, 40, UNCERTAIN), face(60, 30, 30, 40)]
        alone, beside = (targets_of(np.stack(near[:count]), 256, 192) for count in (1, 2))
        self.assertEqual(alone[SCORE].max(), 0)
        self.assertGreater((alone[WEIGHT] == 0).sum(), 4)
        self.assertEqual((alone[WEIGHT] == 0).sum() + alone[WEIGHT].sum(), alone.shape[1])
        self.assertTrue((beside[WEIGHT][beside[SCORE] > 0] == 1).all())
        torch.manual_seed(0)
        outputs = [(torch.zeros(1, 1, 1, alone.shape[1]), torch.zeros(1, 14, 1, alone.shape[1]))]
        score = train.losses(outputs, torch.from_numpy(alone)[None])[0]
        outputs[0][0][0, 0, 0, alone[WEIGHT] == 0] = 5
        self.assertEqual(train.losses(outputs, torch.from_numpy(alone)[None])[0], score)

    def test_a_head_is_certain_if_the_teacher_is(self):
        heads = np.stack([face(20, 20, 60, 60, UNCERTAIN), face(120, 20, 60, 60), face(220, 20, 60, 60, UNCERTAIN)])

        def labels(found):
            rows = composites.labeled(np.zeros((2, 2, 3)), heads, 2, lambda *_: np.stack(found))
            np.testing.assert_allclose(rows[:, BOX][:, 3], 30)
            return {float(row[1]): round(float(row[SCORE]), 2) for row in rows}

        self.assertEqual(labels([face(20, 20, 60, 60, 0.9)]), {10: 0.9, 60: 1, 110: UNCERTAIN})
        self.assertEqual(labels([face(220, 20, 60, 60, 0.5)]), {10: UNCERTAIN, 60: 1, 110: UNCERTAIN})
        self.assertEqual(labels([face(300, 20, 60, 60, 0.5)]), {10: UNCERTAIN, 60: 1, 110: UNCERTAIN, 150: 0.5})

    def test_a_mirrored_face_keeps_its_left_eye_left(self):
        image, rows = np.zeros((100, 200), np.uint8), face(20, 10, 40, 50)[None]
        _, mirrored = augmentation.mirrored(image, rows)
        self.assertEqual(mirrored[0, 1], 140)
        self.assertLess(mirrored[0, 5], mirrored[0, 7])
        np.testing.assert_allclose(augmentation.mirrored(image, mirrored)[1], rows, rtol=1e-5)

    def test_overlapping_detections_are_merged(self):
        rows = np.stack([face(10, 10, 50, 50, 0.9), face(14, 10, 50, 50, 0.6), face(100, 10, 50, 50, 0.5)])
        merged = without_overlaps(rows)
        self.assertEqual(len(merged), 2)
        self.assertAlmostEqual(float(merged[0, 1]), (0.9 * 10 + 0.6 * 14) / 1.5, places=4)

    def test_the_generated_detector_finds_a_drawn_face(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "yunet.onnx"
            support.write_yunet(path)
            picture, box, _ = support.drawn(160, "neutral", np.random.default_rng(0))
            found = Yunet(path)(np.repeat(picture[:, :, None], 3, 2), 0.5)
        self.assertGreater(ious(found[:, 1:5], box).max(), 0.5)


if __name__ == "__main__":
    unittest.main()
