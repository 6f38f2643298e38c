"""What neighbours miss: nothing where densities are even, about the bias where they are not."""

import numpy as np
import pytest

from mitools.datasets.known_information.tasks import find_task
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.classical.neighbours.shortfall import COARSER, shortfall


def test_it_is_the_difference_of_two_readings():
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 200, 1))
    y = x + 0.05 * y
    readings = [KSG(k, margins="scaled").fit(x, y).estimate_.nats for k in (3, 3 * COARSER)]
    x, y = ((side - side.mean()) / side.std() for side in (x, y))
    assert shortfall(x, y, 3, np.arange(200)) == pytest.approx(readings[0] - readings[1], abs=1e-9)
    assert shortfall(x[:4], y[:4], 3, np.arange(4)) == 0


def test_the_interval_reaches_the_truth_where_edges_hide_it():
    task = find_task("uniform noise 0.1 1x1")
    samples = [task.sample(500, seed) for seed in range(20)]
    found = [KSG().fit(one.x, one.y).estimate_ for one in samples]
    truth = task.joint.truth.nats
    readings = np.array([one.nats for one in found])
    assert (readings + 1.96 * np.array([one.stderr_nats for one in found]) < truth).mean() > 0.3
    assert np.mean([one.interval_nats.low <= truth <= one.interval_nats.high for one in found]) >= 0.85
    beyond = [one.interval_nats.high - one.nats - 1.96 * one.stderr_nats for one in found]
    assert beyond == pytest.approx([one.settings.get("shortfall_nats", 0) for one in found], abs=1e-4)


def test_of_normal_pairs_little_is_missing():
    task = find_task("normal 1x1")
    samples = [task.sample(1000, seed) for seed in range(10)]
    missing = [KSG().fit(one.x, one.y).estimate_.settings.get("shortfall_nats", 0.0) for one in samples]
    assert np.mean(missing) < 0.03


def test_neighbours_of_a_class_miss_its_edges_as_well():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 300)
    found = MixedKSG().fit(labels[:, None] + 2 * rng.random((300, 1)), labels).estimate_
    truth = np.log(10) - 0.9 * np.log(2)
    assert found.settings["shortfall_nats"] > 0.03
    assert found.interval_nats.low < truth < found.interval_nats.high
