"""Sines, boards and pairs side by side: their truths against sampled densities."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import AdditiveUniform
from mitools.datasets.known_information.column_pairs import Checkerboard, NoisySine, SideBySide
from mitools.datasets.known_information.elliptical import Gaussian

RNG = np.random.default_rng(4)


def binned_entropy(values, bins):
    counts, edges = np.histogram(values, bins)
    share = counts[counts > 0] / len(values)
    return float(-(share * np.log(share)).sum() + np.log(edges[1] - edges[0]))


@pytest.mark.parametrize("epsilon", [0.8, 0.3, 0.05])
def test_a_sine_shares_the_entropy_of_y_less_that_of_the_noise(epsilon):
    x, y = NoisySine(epsilon).draw(400_000, RNG)
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.5
    truth = binned_entropy(y[:, 0], 400) - np.log(2 * epsilon)
    assert NoisySine(epsilon).truth.nats == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize("flip", [0.0, 0.1, 0.5])
def test_a_board_shares_its_colours(flip):
    x, y = Checkerboard(flip).draw(200_000, RNG)
    table = np.histogram2d(x[:, 0], y[:, 0], 4, [[0, 1], [0, 1]])[0] / len(x)
    product = table.sum(axis=1, keepdims=True) * table.sum(axis=0)
    met = table > 0
    assert Checkerboard(flip).truth.nats == pytest.approx(
        float((table[met] * np.log(table[met] / product[met])).sum()), abs=2e-3
    )


def test_informations_side_by_side_add_up():
    parts = [Gaussian.dense(2, 1, 0.5), AdditiveUniform(0.1)]
    both = SideBySide(parts)
    assert (both.d_x, both.d_y) == (3, 2)
    assert both.truth.nats == pytest.approx(sum(part.truth.nats for part in parts))
    x, y = both.draw(50_000, RNG)
    assert (x.shape, y.shape) == ((50_000, 3), (50_000, 2))
    assert np.abs(y[:, 1] - x[:, 2]).max() <= 0.1
    assert abs(np.corrcoef(x[:, 0], x[:, 2])[0, 1]) < 0.02


@pytest.mark.parametrize(
    "make",
    [
        lambda: NoisySine(0.0),
        lambda: NoisySine(0.5, 0),
        lambda: Checkerboard(0.6),
        lambda: Checkerboard(0.1, 3),
        lambda: SideBySide([]),
    ],
)
def test_what_cannot_be_drawn_is_refused(make):
    with pytest.raises(InputError):
        make()
