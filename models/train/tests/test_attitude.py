# SPDX-License-Identifier: MPL-2.0
"""Tests the steps of the classifier, from a data folder to its files."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

import cv2
import numpy as np
import onnx
import torch

from attitude_training.attitude import (
    augmentation,
    crop,
    export,
    face,
    glasses,
    label_noise,
    label_variant,
    metrics,
    network,
    quality,
    quantize,
    report,
    seed,
    smiles,
    targets,
    teach,
    train,
)
from attitude_training.attitude.evaluation import outputs
from attitude_training.common.inference import session
from attitude_training.data import london
from attitude_training.data.labels import BUCKETS, bucketed
from attitude_training.detector.detections import Yunet

from . import support

DESCRIPTION = Path(__file__).parents[2] / "attitude.toml"
DETECTOR = Path(__file__).parents[2] / "face-detector.onnx"
FIXTURES = Path(__file__).parents[3] / "tests" / "fixtures"
TINY = ["--stem", "8", "--widths", "8,16", "--blocks", "1,1", "--epochs", "1", "--batch", "16", "--workers", "0"]


def run(step, *arguments):
    """Runs a step. Returns what it prints."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        step.main([str(argument) for argument in arguments])
    return output.getvalue()


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
        cls.teacher, cls.student, cls.model = (
            cls.work / name for name in ("teacher.pt", "student.pt", "attitude.onnx")
        )
        cls.predictions = cls.work / "predictions.npz"
        cls.teacher_log = run(train, cls.data, cls.teacher, "--network", "teacher", "--seed", 3, *TINY)
        cls.teach_log = run(teach, cls.data, cls.predictions, cls.teacher, "--sheet", cls.work / "sheets")
        run(train, cls.data, cls.student, "--taught", cls.predictions, *TINY)
        cls.face = cls.work / "face.npz"
        cls.face_log = run(face, cls.data, DETECTOR, cls.student, cls.face, "--count", 40)
        run(export, cls.data, cls.student, cls.face, cls.model, DESCRIPTION)

    def test_training_prints_figures_of_the_validation_split(self):
        self.assertRegex(self.teacher_log, r"epoch 1 loss \d\.\d+ clear [\d.]+ majority [\d.]+ photos [\d.]+ seconds")

    def test_a_complete_training_is_not_repeated(self):
        self.assertIn("resuming after epoch 1", run(train, self.data, self.student, *TINY))

    def test_a_training_of_another_network_is_not_resumed(self):
        with self.assertRaisesRegex(ValueError, "use another file"):
            run(train, self.data, self.student, *TINY, "--stem", 16)

    def test_teachers_predict_every_face_of_the_training(self):
        parts = targets.training_parts(*targets.sets(self.data), targets.VOTES)
        for part, predicted in zip(parts, teach.read_predictions(self.predictions, parts)):
            self.assertEqual(predicted.shape, (len(part.faces), 8))
            np.testing.assert_allclose(predicted.sum(1), 1, rtol=1e-4)
        self.assertRegex(self.teach_log, r"\d+ of \d+ labels of the second set are contradicted")

    def test_predictions_of_other_faces_are_rejected(self):
        parts = targets.training_parts(*targets.sets(self.data), targets.LABELS)
        with self.assertRaisesRegex(ValueError, "other faces"):
            teach.read_predictions(self.predictions, parts)

    def test_scores_of_the_model_are_sums_of_its_emotions(self):
        pixels = np.random.default_rng(0).uniform(0, 255, (3, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
        scores, emotions = outputs(session(self.model), pixels)
        np.testing.assert_allclose(scores, bucketed(emotions), atol=1e-6)
        np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)

    def test_a_training_starts_from_a_model(self):
        continued = self.work / "continued.pt"
        run(train, self.data, continued, "--init", self.student, "--rate", 1e-9, *TINY)
        pixels = np.random.default_rng(0).uniform(0, 255, (3, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
        before, after = (network.logits(network.load(path), pixels) for path in (self.student, continued))
        torch.testing.assert_close(before, after, rtol=0.1, atol=0.1)

    def test_the_model_contains_its_description(self):
        (entry,) = onnx.load(self.model).metadata_props
        self.assertEqual(entry.value, DESCRIPTION.read_text())

    def test_the_report_has_groups_and_conditions(self):
        sheets = self.work / "errors"
        text = run(report, self.data, self.yunet, self.model, "--compare", self.model, "--sheet", sheets)
        for expected in (
            "at least 8 of 10 voters agree",
            "| gender | female | 12 |",
            "| age | 35 and older | 6 |",
            "| age | not stated | 6 |",
            "| ethnicity | east asian | 8 |",
            "| frontal |",
            "| 16 px high |",
            "Time per face",
        ):
            self.assertIn(expected, text)
        self.assertTrue(list(sheets.glob("*.png")))

    def test_faces_that_are_not_upright_are_told_from_others(self):
        self.assertRegex(self.face_log, r"\| upright faces \| 8 \| [01]\.\d+ ")
        self.assertRegex(self.face_log, r"\| 180° \| \d+ \|")
        pixels = np.random.default_rng(0).uniform(0, 255, (3, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
        (found,) = session(self.model).run(["face"], {"luma": pixels})
        self.assertEqual(found.shape, (3, 1))
        self.assertTrue(((found >= 0) & (found <= 1)).all())
        # Two kinds of features that a line separates.
        rng = np.random.default_rng(0)
        faces, others = rng.normal(1, 0.3, (50, 4)), rng.normal(-1, 0.3, (80, 4))
        weights, bias = face.fitted(faces, others)
        self.assertTrue((faces @ weights + bias > 0).all() and (others @ weights + bias < 0).all())

    def test_variants_are_written_and_compared(self):
        text = run(quantize, self.data, self.model, self.work / "variants")
        self.assertIn("attitude-int8.onnx", text)
        pixels = np.random.default_rng(0).uniform(0, 255, (2, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
        int8 = self.work / "variants" / "attitude-int8.onnx"
        self.assertEqual([entry.domain for entry in onnx.load(int8).opset_import], [""])
        scores, emotions = outputs(session(int8), pixels)
        np.testing.assert_allclose(scores, bucketed(emotions), atol=1e-6)

    def test_the_quality_of_pictures_is_fitted(self):
        # The tiny network says the same about everything.
        text = run(quality, self.data, self.model)
        self.assertIn("no quality to fit", text)
        self.assertIn("| 0° to 10° |", text)
        rng = np.random.default_rng(0)
        examples = rng.uniform(-3, 0, (4000, 4)), None
        likely = 1 / (1 + np.exp(-3 - examples[0] @ (1, 0.5, 0.5, 1)))
        examples = examples[0], rng.random(4000) < likely
        text = quality.fit(examples, examples)
        (intercept,) = [float(line.split("|")[2]) for line in text.splitlines() if "INTERCEPT" in line]
        self.assertAlmostEqual(intercept, 3, delta=0.4)
        self.assertRegex(text, "ROC curve on the test split: 0.[78]")

    def test_an_exported_network_has_its_shape_and_computes_the_same(self):
        pixels = np.random.default_rng(0).uniform(0, 255, (3, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
        exported, trained = (network.emotions(network.load(path), pixels) for path in (self.model, self.student))
        self.assertEqual(network.exported_shape(self.model), network.Shape(8, (8, 16), (1, 1), 0.0))
        np.testing.assert_array_equal(exported.argmax(1), trained.argmax(1))

    def test_label_noise_compares_trainings(self):
        text = run(label_noise, self.data, self.teacher, self.student)
        self.assertIn("majority agrees with the label", text)
        self.assertIn("agreement of two", text)

    def test_the_variant_for_labels_is_trained_and_measured_on_the_seeds_parts(self):
        checkpoint = self.work / "labels.pt"
        log = run(train, self.data, checkpoint, "--targets", "labels", *TINY)
        self.assertRegex(log, r"epoch 1 loss [\d.]+ labels [\d.]+ photos")
        self.assertRegex(run(label_variant, self.data, checkpoint), r"\| \d+ \| [\d.]+ \|")

    def test_the_recipe_of_2019_runs(self):
        out = self.work / "seed.onnx"
        epochs = ["--pretraining-epochs", 1, "--epochs", 1]
        text = run(seed, self.data, out, "--side", 32, *epochs, "--ours", self.model)
        self.assertRegex(text, r"recipe, on its 30% \(\d+ faces\): accuracy")
        self.assertIn("ours, on the test split", text)
        self.assertEqual(session(out).get_inputs()[0].name, "data")

    def test_the_london_set_has_landmarks_and_groups(self):
        people = london.load(self.data, Yunet(self.yunet))
        self.assertEqual(len(people.faces), 24)
        self.assertEqual(set(people.groups), set(london.GROUPINGS))
        radius = support.FACE * 320 / 2
        self.assertLess(np.abs(people.faces.landmarks[0].mean(0) - 160).max(), radius)


class Targets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        support.write_data(Path(folder.name))
        self.fer, self.second = targets.sets(Path(folder.name))

    def test_a_face_without_an_emotion_is_left_out(self):
        kept = targets.with_emotion(self.fer)
        self.assertLess(len(kept), len(self.fer))
        np.testing.assert_allclose(kept.votes.sum(1), 1, rtol=1e-5)

    def test_training_and_held_out_faces_are_separate(self):
        (part, *_), train_names = targets.training_parts(self.fer, self.second, targets.VOTES), set()
        train_names.update(part.faces.names)
        self.assertFalse(train_names & set(self.fer.of("validation").names + self.fer.of("test").names))

    def test_the_seeds_test_part_contains_our_test_split(self):
        training, testing = targets.seed_parts(self.fer, self.second)
        for faces, used, left in zip((self.fer, self.second), training, testing):
            self.assertLessEqual(set(faces.of("test").names), set(left.names))
            self.assertEqual(sorted(used.names + left.names), sorted(faces.names))

    def test_divided_attitudes_are_the_sums_of_the_emotions(self):
        attitudes = np.array([[0.2, 0.3, 0.5], [0, 0, 1]], np.float32)
        votes = np.array([[0.1, 0.2, 0, 0.6, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]], np.float32)
        emotions = targets.divided(attitudes, votes)
        np.testing.assert_allclose(bucketed(emotions), attitudes, atol=1e-6)
        self.assertGreater(emotions[0, 3], emotions[0, 4])

    def test_teachers_overrule_a_label_that_they_contradict(self):
        part = targets.Part(targets.SECOND_SET, self.second.at([0, 3]), targets.smoothed(self.second.votes[[0, 3]]))
        anger, happiness = np.eye(8, dtype=np.float32)[[4, 1]]
        mixed = targets.taught(part, np.stack([anger, happiness])).targets
        np.testing.assert_allclose(mixed[0], anger)
        self.assertGreater(mixed[1, 1], 0.9)
        self.assertLess(mixed[1, 1], 1)


class Network(unittest.TestCase):
    def test_attitudes_are_sums_of_emotions(self):
        logits = torch.randn(5, 8)
        expected = torch.softmax(logits, 1) @ torch.from_numpy(BUCKETS)
        torch.testing.assert_close(network.log_attitudes(logits).exp(), expected)

    def test_the_loss_is_least_for_the_target(self):
        target = torch.softmax(torch.randn(4, 8), 1)
        best = train.loss(target.log(), target)
        self.assertLess(best, train.loss(torch.randn(4, 8), target))

    def test_the_default_network_has_the_weights_of_its_card(self):
        sizes = {
            name: sum(p.numel() for p in network.AttitudeNetwork(shape).parameters())
            for name, shape in network.SHAPES.items()
        }
        self.assertLess(sizes["student"], 900_000)
        self.assertGreater(sizes["teacher"], 2 * sizes["student"])

    def test_a_deeper_network_computes_the_same_at_first(self):
        shapes = (network.Shape(8, (8, 16), blocks, 0.0) for blocks in ((1, 1), (2, 3)))
        shallow, deep = (network.AttitudeNetwork(shape) for shape in shapes)
        for block in shallow.blocks:
            torch.nn.init.ones_(block.second[1].weight)
        network.deepen(deep, shallow)
        pixels = np.random.default_rng(0).uniform(0, 255, (3, 1, crop.SIDE, crop.SIDE)).astype(np.float32)
        torch.testing.assert_close(network.logits(deep, pixels), network.logits(shallow, pixels))

    def test_a_temperature_of_overconfident_logits_is_above_one(self):
        rng = np.random.default_rng(0)
        truth = rng.integers(0, 3, 400)
        likely = np.where(rng.random(400) < 0.7, truth, rng.integers(0, 3, 400))
        logits = torch.zeros(400, 8)
        logits[np.arange(400), np.array([1, 0, 2])[likely]] = 9.0
        self.assertGreater(export.temperature(logits, truth), 1.5)


class Pictures(unittest.TestCase):
    def test_a_crop_has_the_landmarks_of_the_template(self):
        picture, _, points = support.drawn(200, "neutral", np.random.default_rng(0))
        m, t = crop.from_landmarks(points)
        placed = (points @ (1, 1j) - t) / m
        expected = crop.TEMPLATE @ (1, 1j) * crop.SIDE
        self.assertLess(np.abs(placed - expected).max(), 5)
        self.assertEqual(crop.cut(picture, (m, t)).shape, (crop.SIDE, crop.SIDE))

    def test_crops_are_those_that_the_plugin_is_tested_with(self):
        sys.path.insert(0, str(FIXTURES))
        self.addCleanup(sys.path.remove, str(FIXTURES))
        import make_crops

        expected = np.fromfile(FIXTURES / "crops.bin", "<f4").reshape(-1, crop.SIDE, crop.SIDE)
        np.testing.assert_allclose(make_crops.crops(), expected, atol=1)

    def test_augmented_crops_are_valid_and_reproducible(self):
        picture, box, points = support.drawn(120, "happiness", np.random.default_rng(0))
        for number in range(20):
            first, second = (
                augmentation.augmented(picture, points, box, 1.0, np.random.default_rng(number)) for _ in range(2)
            )
            self.assertEqual((first.shape, first.dtype), ((crop.SIDE, crop.SIDE), np.float32))
            self.assertTrue(0 <= first.min() and first.max() <= 255)
            np.testing.assert_array_equal(first, second)

    def test_only_neutral_mouths_are_bent_and_more_make_a_happier_face(self):
        picture, _, points = support.drawn(120, "neutral", np.random.default_rng(0))
        neutral, anger = np.eye(8, dtype=np.float32)[[0, 4]]
        targets = []
        for number in range(100):
            rng = np.random.default_rng(number)
            image, target = smiles.sometimes_bent(picture, points, neutral, rng)
            self.assertAlmostEqual(float(target.sum()), 1, places=5)
            if image is picture:
                np.testing.assert_array_equal(target, neutral)
            else:
                targets.append(target[1])
            self.assertIs(smiles.sometimes_bent(picture, points, anger, rng)[0], picture)
        self.assertGreater(len(targets), 10)
        self.assertEqual((min(targets), max(targets) > 0.8), (0, True))
        self.assertEqual(
            [smiles.happiness(amount) for amount in (-0.5, smiles.FAINT, smiles.PLAIN)], [0, 0, smiles.PLAIN_HAPPINESS]
        )

    def test_a_bent_mouth_has_higher_corners_in_a_face_of_any_roll(self):
        picture, _, points = support.drawn(120, "neutral", np.random.default_rng(0))
        upright = smiles.bent(picture, points, 1.0)
        turn = np.array([[0, -1], [1, 0]])
        turned_points = (points - 60) @ turn.T + 60
        turned = smiles.bent(np.ascontiguousarray(np.rot90(picture, -1)), turned_points, 1.0)
        self.assertGreater(np.abs(upright.astype(int) - picture).max(), 50)
        difference = np.abs(turned.astype(int) - np.rot90(upright, -1))
        self.assertLess(np.mean(difference > 30), 0.02)

    def test_glasses_are_drawn_around_the_eyes_of_a_face_of_any_roll(self):
        picture, _, points = support.drawn(120, "neutral", np.random.default_rng(0))
        left, right = points[:2]
        for look in (glasses.CLEAR, glasses.DARK):
            shown = glasses.with_glasses(picture, points, look)
            changed = np.argwhere(shown != picture)[:, ::-1]
            distance = np.linalg.norm(right - left)
            self.assertTrue((np.abs(changed - (left + right) / 2) < distance).all())
            # Inside the lens, beside the pupil.
            x, y = np.round(left + 0.25 * (right - left)).astype(int)
            self.assertEqual(int(shown[y, x]) < int(picture[y, x]), look is glasses.DARK)
            turn = np.array([[0, -1], [1, 0]])
            turned = glasses.with_glasses(
                np.ascontiguousarray(np.rot90(picture, -1)), (points - 60) @ turn.T + 60, look
            )
            self.assertLess(np.mean(np.abs(turned.astype(int) - np.rot90(shown, -1)) > 60), 0.01)
        drawn = [
            glasses.sometimes_with_glasses(picture, points, np.random.default_rng(number)) is not picture
            for number in range(400)
        ]
        self.assertAlmostEqual(np.mean(drawn), glasses.WORN, delta=0.06)

    def test_poor_pictures_have_lower_measures(self):
        picture, _, points = support.drawn(200, "happiness", np.random.default_rng(0))
        good = crop.cut(picture, crop.from_landmarks(points))
        height, blur, noise, contrast = quality.measures(good, 48)
        self.assertEqual((height, contrast), (0, 0))
        self.assertEqual(quality.measures(good, 12)[0], -2)
        self.assertLess(quality.measures(cv2.GaussianBlur(good, (0, 0), 3), 48)[1], blur)
        noisy = good + np.random.default_rng(0).normal(0, 60, good.shape).astype(np.float32)
        self.assertLess(quality.measures(noisy, 48)[2], noise)
        self.assertLess(quality.measures(good / 20, 48)[3], contrast)
        for number in range(20):
            image, moved = quality.poor(picture, points, np.random.default_rng(number))
            self.assertEqual((image.dtype, image.ndim, moved.shape), (np.uint8, 2, (5, 2)))

    def test_pictures_in_the_framing_of_the_crop_need_no_landmarks(self):
        picture = cv2.resize(support.drawn(96, "neutral", np.random.default_rng(0))[0], (48, 48))
        np.testing.assert_allclose(crop.crops([picture], [None])[0, 0], picture)


class Metrics(unittest.TestCase):
    def test_calibrated_scores_have_no_calibration_error(self):
        truth = np.array([0] * 6 + [1] * 4)
        scores = np.tile([0.6, 0.4, 0.0], (10, 1))
        self.assertAlmostEqual(metrics.calibration_error(truth, scores, np.ones(10)), 0)

    def test_a_gap_is_between_the_groups_with_the_highest_and_lowest_share(self):
        groups = np.repeat(["a", "b", "c"], [10, 10, 1])
        correct = np.array([True] * 9 + [False] + [True] * 5 + [False] * 5 + [False])
        shares = metrics.group_shares(np.ones(21, bool), correct, groups)
        best, worst, gap = metrics.widest_gap(shares)
        self.assertEqual((best, worst), ("a", "b"))
        self.assertAlmostEqual(gap.value, 0.4)
        self.assertTrue(gap.low < 0.4 < gap.high)


if __name__ == "__main__":
    unittest.main()
