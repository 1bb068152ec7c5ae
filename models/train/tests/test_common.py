# SPDX-License-Identifier: MPL-2.0
"""Tests what both trainings share."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from attitude_training.common.checkpoint import Optimization, TrainingState, mean_weights
from attitude_training.common.markdown import table
from attitude_training.common.onnx_import import renormalize, restore
from attitude_training.common.pictures import sheet
from attitude_training.common.schedule import warm_cosine
from attitude_training.common.statistics import Gap, Share
from attitude_training.data.faces import split_of
from attitude_training.data.landmarks import turned_away
from attitude_training.data.london import age_band


def state(options=None):
    """Starts a training of a network with one layer."""
    torch.manual_seed(0)
    optimization = Optimization(rate=0.1, weight_decay=0, warmup_steps=2, steps=20)
    return TrainingState(torch.nn.Linear(3, 1), optimization, options)


def take_steps(training, count):
    """Takes steps towards an output of 1."""
    for _ in range(count):
        training.step((training.network(torch.ones(4, 3)) - 1).square().mean())


class Training(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "training.pt"

    def test_a_resumed_training_continues_exactly(self):
        first = state()
        take_steps(first, 4)
        first.save(self.path, 1)
        take_steps(first, 4)
        resumed = state()
        self.assertEqual(resumed.resume(self.path), 1)
        take_steps(resumed, 4)
        torch.testing.assert_close(resumed.network.weight, first.network.weight)
        torch.testing.assert_close(resumed.mean.network.weight, first.mean.network.weight)

    def test_a_missing_checkpoint_starts_a_training(self):
        self.assertEqual(state().resume(self.path), 0)

    def test_a_checkpoint_of_another_network_is_rejected(self):
        state({"stem": 8}).save(self.path, 1)
        with self.assertRaisesRegex(ValueError, "expected {'stem': 16}"):
            state({"stem": 16}).resume(self.path)

    def test_the_mean_lags_behind_the_weights(self):
        training = state()
        before = training.network.weight.detach().clone()
        take_steps(training, 5)
        change, lag = (abs(weight - before).sum() for weight in (training.network.weight, training.mean.network.weight))
        self.assertLess(lag, change)
        training.save(self.path, 1)
        torch.testing.assert_close(mean_weights(self.path)[1]["weight"], training.mean.network.weight)

    def test_the_rate_rises_and_falls_to_zero(self):
        factor = warm_cosine(steps=100, warmup_steps=10)
        self.assertAlmostEqual(factor(0), 0.1)
        self.assertGreater(factor(9), 0.9)
        self.assertAlmostEqual(factor(100), 0)


class Import(unittest.TestCase):
    """An exported network is restored."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "network.onnx"
        torch.manual_seed(0)
        self.inputs = torch.randn(16, 1, 8, 8) + 3
        self.exported = Exported()
        # The statistics of a batch are not those that were exported.
        self.exported.network.train()(torch.randn(32, 1, 8, 8))
        torch.onnx.export(self.exported.eval(), (self.inputs,), self.path, dynamo=False)
        self.expected = self.exported(self.inputs)

    def test_a_restored_network_computes_the_same(self):
        network = Exported().network
        restore(network, self.path)
        torch.testing.assert_close(network.eval()(self.inputs), self.expected)

    def test_a_renormalized_network_computes_the_same_and_so_does_its_first_batch(self):
        network = Exported().network
        restore(network, self.path)
        renormalize(network, self.inputs)
        torch.testing.assert_close(network(self.inputs), self.expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(network.train()(self.inputs), self.expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(network.first[0].weight.flatten(1).norm(dim=1), torch.full((4,), 3**-0.5))

    def test_a_file_of_another_network_is_rejected(self):
        with self.assertRaisesRegex(ValueError, "first.0 has the shape"):
            restore(Network(6), self.path)
        with self.assertRaisesRegex(ValueError, "has no layer of Linear"):
            restore(torch.nn.Linear(3, 1), self.path)


class Network(torch.nn.Module):
    """A convolution with batch normalization, and one with a bias."""

    def __init__(self, channels=4):
        super().__init__()
        convolution = torch.nn.Conv2d(1, channels, 3, bias=False)
        self.first = torch.nn.Sequential(convolution, torch.nn.BatchNorm2d(channels))
        self.last = torch.nn.Conv2d(channels, 2, 1)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


class Exported(torch.nn.Module):
    """A network as it is exported."""

    def __init__(self):
        super().__init__()
        self.network = Network()

    def forward(self, x):
        return self.network(x)


class Statistics(unittest.TestCase):
    def test_wilsons_interval_of_nine_in_ten(self):
        share = Share.of(np.array([True] * 9 + [False]))
        self.assertAlmostEqual(share.low, 0.5958, places=4)
        self.assertAlmostEqual(share.high, 0.9821, places=4)

    def test_wilsons_interval_of_all(self):
        share = Share.of(np.ones(10, bool))
        self.assertAlmostEqual(share.low, 0.7225, places=4)
        self.assertAlmostEqual(share.high, 1)

    def test_a_share_of_nothing_is_unknown(self):
        self.assertEqual(str(Share.of(np.empty(0, bool))), "-")

    def test_newcombes_interval(self):
        # The first example of Newcombe, 1998: 56 of 70 and 48 of 80.
        gap = Gap.between(Share.of(np.arange(70) < 56), Share.of(np.arange(80) < 48))
        self.assertAlmostEqual(gap.value, 0.2)
        self.assertAlmostEqual(gap.low, 0.0524, places=4)
        self.assertAlmostEqual(gap.high, 0.3339, places=4)


class Small(unittest.TestCase):
    def test_tables_have_three_decimals(self):
        self.assertEqual(table(("a", "b"), [("x", 0.12345)]), "| a | b |\n|---|---|\n| x | 0.123 |")

    def test_sheets_are_filled_row_by_row(self):
        tiles = [np.full((2, 3), value, np.uint8) for value in (1, 2, 3)]
        self.assertEqual(sheet(tiles, 2)[::2, ::3].tolist(), [[1, 2], [3, 0]])

    def test_splits_depend_on_the_name_only(self):
        names = [f"person_{index}" for index in range(2000)]
        splits = [split_of(name, 10, 20) for name in names]
        self.assertEqual(splits, [split_of(name, 10, 20) for name in names])
        self.assertAlmostEqual(splits.count("test") / len(names), 0.2, delta=0.03)
        self.assertAlmostEqual(splits.count("validation") / len(names), 0.1, delta=0.03)

    def test_a_frontal_face_is_not_turned_away(self):
        frontal = np.array([[0, 0], [4, 0], [2, 2], [1, 4], [3, 4]], float)
        self.assertEqual(turned_away(frontal), 0)
        nose_to_one_side = np.eye(5)[2][:, None] * (1, 0)
        self.assertAlmostEqual(turned_away(frontal + nose_to_one_side), 0.25)

    def test_ages_are_grouped_in_bands(self):
        self.assertEqual(
            [age_band(age) for age in ("18", "24", "25", "34", "35", "90", "NA")],
            ["18 to 24"] * 2 + ["25 to 34"] * 2 + ["35 and older"] * 2 + ["not stated"],
        )


if __name__ == "__main__":
    unittest.main()
