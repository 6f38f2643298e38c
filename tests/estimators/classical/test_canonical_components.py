"""Components: pair by pair what is there, nothing that is not, and nothing twice."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import AdditiveUniform
from mitools.datasets.known_information.elliptical import Gaussian, StudentT, sparse_correlation
from mitools.datasets.known_information.tasks import find_task, sample
from mitools.estimators.classical.canonical_components import ComponentEstimator


def test_many_columns_of_which_few_interact():
    known = sample(Gaussian.sparse(25, 25, 2, 0.8), 4000, seed=3)
    found = ComponentEstimator().estimate(known.x, known.y)
    assert found.nats == pytest.approx(known.nats, abs=0.12)
    assert found.settings["components_read"] == 2
    assert found.null_nats == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("joint", [AdditiveUniform(0.25, 4), find_task("composites 4 bits 8x8").joint])
def test_pairs_whose_dependence_is_not_normal(joint):
    known = sample(joint, 4000, seed=3)
    found = ComponentEstimator().estimate(known.x, known.y)
    assert found.settings["components_read"] == 4
    assert found.nats == pytest.approx(known.nats, abs=0.2)


def test_turned_columns_share_as_much():
    known = sample(Gaussian.sparse(6, 6, 3, 0.8), 4000, seed=3)
    rng = np.random.default_rng(0)
    turns = [np.linalg.qr(rng.standard_normal((6, 6)))[0] for _ in range(2)]
    straight = ComponentEstimator().estimate(known.x, known.y)
    turned = ComponentEstimator().estimate(known.x @ turns[0], known.y @ turns[1])
    assert turned.nats == pytest.approx(straight.nats, abs=0.06)


def test_pairs_that_share_their_scale_are_not_added():
    known = sample(StudentT(sparse_correlation(5, 5, 2, 0.8), 5, df=1), 4000, seed=3)
    found = ComponentEstimator().estimate(known.x, known.y)
    assert found.settings["components"] == 2
    assert found.settings["components_read"] == 1
    assert found.nats < known.nats


def test_independent_rows_have_no_components():
    rng = np.random.default_rng(3)
    found = ComponentEstimator().estimate(*rng.standard_normal((2, 500, 20)))
    assert abs(found.nats) < 0.05
    assert found.has_warning("indistinguishable_from_zero")


def test_it_is_a_function_of_ranks():
    known = sample(Gaussian.sparse(4, 4, 2, 0.8), 1000, seed=3)
    estimator = ComponentEstimator()
    before, after = estimator.estimate(known.x, known.y), estimator.estimate(np.exp(known.x), known.y**3)
    assert after.nats == pytest.approx(before.nats, abs=1e-3)


def test_too_few_rows_and_folds_are_refused():
    rows = np.random.default_rng(3).standard_normal((40, 3))
    with pytest.raises(InputError, match="40 rows are too few for 5 folds"):
        ComponentEstimator().estimate(rows, rows)
    with pytest.raises(InputError, match="folds=1"):
        ComponentEstimator(folds=1).estimate(rows, rows)
