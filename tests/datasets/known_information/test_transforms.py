import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import AdditiveUniform
from mitools.datasets.known_information.elliptical import Gaussian, StudentT
from mitools.datasets.known_information.transforms import (
    TRANSFORMS,
    Transformed,
    spiral,
    swiss_roll,
    transformed,
)

GRID = np.linspace(-6, 6, 20_001)[:, None]


@pytest.mark.parametrize("name", ["asinh", "bimodal", "half_cube", "normal_cdf", "wiggly"])
def test_maps_of_single_values_are_strictly_increasing(name):
    for transform in TRANSFORMS[name]:
        assert (np.diff(transform(GRID), axis=0) > 0).all()


@pytest.mark.parametrize("first", [0, 1])
def test_a_spiral_is_undone_by_turning_back(first):
    rows = np.random.default_rng(0).standard_normal((500, 4))
    turned = spiral(rows, first)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(rows, axis=1))
    assert np.abs(turned - rows).max() > 0.5
    np.testing.assert_allclose(spiral(turned, first, speed=-1.0), rows, atol=1e-12)


def test_a_swiss_roll_is_undone_by_its_radius():
    rows = np.random.default_rng(0).random((500, 1))
    radius = 21 * np.linalg.norm(swiss_roll(rows), axis=1, keepdims=True)
    np.testing.assert_allclose((radius / (1.5 * np.pi) - 1) / 2, rows)


def test_bimodal_margins_are_the_mixtures_they_claim():
    rows = np.random.default_rng(0).standard_normal((4000, 1))
    of_x, of_y = (transform(rows)[:, 0] for transform in TRANSFORMS["bimodal"])
    assert kstest(of_x, lambda v: 0.3 * ndtr(v) + 0.7 * ndtr(v - 5)).pvalue > 0.01
    assert kstest(of_y, lambda v: 0.5 * ndtr(v + 1) + 0.5 * ndtr(v - 3)).pvalue > 0.01


def test_a_transform_keeps_the_truth_and_says_so():
    base = Gaussian.sparse(3, 3, 2, 0.8)
    bent = transformed(base, ["normal_cdf", "spiral"])
    assert bent.truth.nats == base.truth.nats
    assert bent.truth.source.endswith("unchanged by normal_cdf; unchanged by spiral")
    assert (bent.d_x, bent.d_y) == (3, 3)
    x, y = base.draw(100, np.random.default_rng(4))
    bent_x, bent_y = bent.draw(100, np.random.default_rng(4))
    np.testing.assert_allclose(bent_x, spiral(ndtr(x)))
    np.testing.assert_allclose(bent_y, spiral(ndtr(y), first=1))


def test_a_swiss_roll_adds_a_dimension():
    rolled = Transformed(AdditiveUniform(0.1), "swiss_roll")
    x, _ = rolled.draw(10, np.random.default_rng(0))
    assert x.shape == (10, rolled.d_x) == (10, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Transformed(Gaussian.dense(1, 1, 0.5), "spirl"), "accepted: .*spiral"),
        (lambda: _draw(Gaussian.dense(2, 2, 0.5), "spiral"), "coordinates 2 and 3"),
        (lambda: _draw(Gaussian.dense(1, 1, 0.5), "swiss_roll"), "apply normal_cdf first"),
        (lambda: _draw(StudentT.identity(1, 1, 1), "normal_cdf"), "use asinh"),
    ],
)
def test_bad_requests_name_what_is_wrong(make, message):
    with pytest.raises(InputError, match=message):
        make()


def _draw(base, name):
    return Transformed(base, name).draw(500, np.random.default_rng(0))
