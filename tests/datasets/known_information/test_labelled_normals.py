"""Labels and normals: the truth against quadrature, the draws against the density."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from mitools.core.errors import InputError
from mitools.datasets.known_information.labelled_normals import LabelledNormals


def test_the_truth_is_that_of_a_quadrature():
    weights = np.array([0.2, 0.8])
    labelled = LabelledNormals.of_classes(np.array([[-1.0], [1.0]]), weights)

    def term(x):
        parts = weights * norm.pdf(x, [-1, 1])
        return (parts * np.log(parts / weights / parts.sum())).sum()

    truth = quad(term, -10, 10)[0]
    assert abs(labelled.truth.nats - truth) < 4 * labelled.truth.stderr_nats
    assert labelled.truth.stderr_nats < 0.002


def test_components_of_one_label_are_one_class():
    corners = np.array([[-9.0, -9.0], [9.0, 9.0], [-9.0, 9.0], [9.0, -9.0]])
    labelled = LabelledNormals(np.array([0, 0, 1, 1]), np.full(4, 0.25), corners, np.ones(4))
    assert labelled.truth.nats == pytest.approx(np.log(2), abs=1e-6)
    x, y = labelled.draw(2000, np.random.default_rng(0))
    assert (np.sign(x[:, 0] * x[:, 1]) == np.where(y == 0, 1, -1)).all()
    assert abs(y.mean() - 0.5) < 0.05


def test_classes_of_one_place_share_nothing_unless_their_sizes_differ():
    same = LabelledNormals.of_classes(np.zeros((3, 2)))
    assert same.truth.nats == pytest.approx(0, abs=1e-12)
    sizes = LabelledNormals(np.arange(2), np.full(2, 0.5), np.zeros((2, 2)), np.array([1.0, 3.0]))
    assert sizes.truth.nats > 0.1


def test_shapes_and_scales_are_checked():
    with pytest.raises(InputError, match="labels"):
        LabelledNormals(np.arange(3), np.full(2, 0.5), np.zeros((2, 2)), np.ones(2))
    with pytest.raises(InputError, match="positive"):
        LabelledNormals(np.arange(2), np.full(2, 0.5), np.zeros((2, 2)), np.zeros(2))
