"""Several problems fitted together give what each gives alone."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone

from mitools.core.errors import InputError
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.neural.fit_many import Problem, fit_many
from mitools.estimators.neural.learned_density import LearnedDensityEstimator
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.pairing.same_class import SameClassPairs

Floats = NDArray[np.float64]

BRIEF: dict[str, Any] = {"hidden": (16,), "batch_size": 64, "max_steps": 100, "check_every": 25, "folds": 1}


def gaussian(n: int, rho: float, d: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Pairs whose d coordinates are standard normal with correlation rho."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def alone(problem: Problem, settings: dict[str, Any]) -> VariationalEstimator:
    seed = problem.seed or 0
    return VariationalEstimator(**settings, seed=seed).fit(
        problem.x, problem.y, problem.pairing, problem.parts
    )


@pytest.mark.parametrize(
    "settings", [BRIEF, BRIEF | {"folds": 2, "base": "gaussian_copula"}], ids=["", "folds"]
)
def test_encoders_and_seeds_together_or_one_after_another(settings: dict[str, Any]) -> None:
    strong, weak = gaussian(400, 0.9, 2), gaussian(400, 0.5, 2)
    problems = [Problem(*strong), Problem(*weak), Problem(*strong, seed=7)]
    together = fit_many(VariationalEstimator(**settings), problems)
    for problem, fitted in zip(problems, together, strict=True):
        expected = alone(problem, settings).estimate_
        assert fitted.estimate_.nats == pytest.approx(expected.nats, abs=5e-3)
        assert fitted.estimate_.stderr_nats == pytest.approx(expected.stderr_nats, abs=5e-3)
        assert fitted.estimate_.null_nats == pytest.approx(expected.null_nats, abs=5e-3)
        assert fitted.estimate_.settings == expected.settings
    values = [fitted.estimate_.nats for fitted in together]
    assert values[0] > values[1] + 0.3
    assert values[0] != values[2]


def test_problems_of_several_shapes_pairings_and_splits() -> None:
    x, y = gaussian(300, 0.8, 3)
    labels = np.arange(200) % 4
    rows = labels[:, None] + 0.3 * np.random.default_rng(0).standard_normal((200, 2))
    problems = [
        Problem(x, y, parts=split(300, seed=5)),
        Problem(rows, rows, SameClassPairs(labels)),
        Problem(x, y[:, 0]),
    ]
    together = fit_many(VariationalEstimator(**BRIEF), problems)
    for problem, fitted in zip(problems, together, strict=True):
        assert fitted.estimate_.nats == pytest.approx(alone(problem, BRIEF).estimate_.nats, abs=5e-3)
    assert together[1].estimate_.entropy_nats == pytest.approx(math.log(4))


def test_the_given_estimator_is_left_unfitted_and_seconds_are_shared() -> None:
    estimator = VariationalEstimator(**BRIEF | {"max_steps": 2})
    first, second = fit_many(estimator, [Problem(*gaussian(100, 0.5, 1))] * 2)
    assert not hasattr(estimator, "estimate_")
    assert first is not second
    assert first.estimate_.nats == pytest.approx(second.estimate_.nats, abs=1e-6)
    assert first.estimate_.seconds > 0


def test_no_problems_give_no_estimates() -> None:
    assert fit_many(VariationalEstimator(), []) == []


def test_a_problem_that_cannot_be_fitted_is_refused() -> None:
    x, y = gaussian(100, 0.5, 1)
    with pytest.raises(InputError, match="x has 100 rows and y has 99"):
        fit_many(VariationalEstimator(**BRIEF), [Problem(x, y), Problem(x, y[:99])])


@pytest.mark.parametrize(
    "estimator",
    [
        AdaptiveEstimator(hidden=(8,), max_steps=20, check_every=10, folds=2),
        LearnedDensityEstimator("club", hidden=(8,), max_steps=20, check_every=10, folds=2),
    ],
    ids=["adaptive", "learned density"],
)
def test_every_estimator_that_trains_critics_can_be_fitted_to_several_problems(
    estimator: CrossFittedEstimator,
) -> None:
    problems = [Problem(*gaussian(200, 0.8, 2)), Problem(*gaussian(200, 0.3, 2), seed=3)]
    for problem, fitted in zip(problems, fit_many(estimator, problems), strict=True):
        expected = clone(estimator).set_params(seed=problem.seed or 0).estimate(problem.x, problem.y)
        assert fitted.estimate_.nats == pytest.approx(expected.nats, abs=5e-3)
        assert fitted.estimate_.settings == expected.settings
