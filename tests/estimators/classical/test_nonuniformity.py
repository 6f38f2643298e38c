"""The correction for neighbour boxes that are not evenly filled."""

import numpy as np
import pytest

from mitools.estimators.classical.ksg import KSG


def normal_pair(n, correlation=0.75, seed=0):
    x, e = np.random.default_rng(seed).standard_normal((2, n))
    return x, correlation * x + np.sqrt(1 - correlation**2) * e


def test_the_correction_for_thin_boxes_reads_strong_relationships():
    rng = np.random.default_rng(8)
    width = 1e-4
    x = rng.random(1000)
    y = x + width * rng.uniform(-1, 1, 1000)
    truth = width - np.log(2 * width)
    plain, corrected = (
        KSG(k=5, margins="scaled", correct_nonuniformity=on).estimate(x, y).nats for on in (False, True)
    )
    assert plain < truth - 2
    assert corrected == pytest.approx(truth, abs=0.4)


def test_the_correction_for_thin_boxes_leaves_even_ones_alone():
    x, y = normal_pair(2000, 0.5)
    plain, corrected = (
        KSG(k=5, margins="scaled", correct_nonuniformity=on).estimate(x, y).nats for on in (False, True)
    )
    assert corrected == pytest.approx(plain, abs=0.02)
