"""The settings that estimators which train critics share: one set of names, and defaults that differ."""

import inspect
from typing import Any

import pytest
from sklearn.base import clone

from mitools.core.errors import InputError
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.neural.learned_density import LearnedDensityEstimator
from mitools.estimators.neural.settings import CriticFitSettings
from mitools.estimators.neural.variational import VariationalEstimator

SHARED = tuple(inspect.signature(CriticFitSettings).parameters)
OWN = {
    VariationalEstimator: ("method", "critic", "base", "scaling"),
    AdaptiveEstimator: ("scouts",),
    LearnedDensityEstimator: ("method", "entropy_y_nats", "covariance", "scaling"),
}


@pytest.mark.parametrize("kind", OWN)
def test_own_parameters_come_first_and_shared_ones_by_name(kind: type[CrossFittedEstimator]) -> None:
    parameters = inspect.signature(kind).parameters
    assert tuple(parameters) == OWN[kind] + SHARED
    assert all(parameters[name].kind == parameters[name].KEYWORD_ONLY for name in SHARED)
    assert set(kind().get_params()) == set(parameters)


@pytest.mark.parametrize("kind", OWN)
def test_scikit_learn_copies_and_sets_them(kind: type[CrossFittedEstimator]) -> None:
    estimator = kind(hidden=(7,), folds=2, seed=5)
    copied = clone(estimator).set_params(max_steps=3)
    assert (copied.hidden, copied.folds, copied.max_steps, copied.seed) == ((7,), 2, 3, 5)
    assert copied.schedule()[1] == 3
    assert copied != clone(copied)


def test_an_estimator_states_the_defaults_that_differ() -> None:
    shared, own = CriticFitSettings(), AdaptiveEstimator()
    differing = {name for name in SHARED if getattr(shared, name) != getattr(own, name)}
    assert differing == {"hidden", "learning_rate", "max_steps", "patience"}


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"folds": 0}, "folds is 0, but it must be at least 1"),
        ({"learning_rate": 0.0}, "learning rate must be positive"),
        ({"average": 1.0}, r"decay in \[0, 1\)"),
        ({"hidden": ()}, "needs one hidden layer"),
        ({"hidden": (8, 0)}, "needs one hidden layer"),
    ],
)
def test_a_setting_out_of_its_range_is_named(
    kind: type[CrossFittedEstimator], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        kind(**settings).fit([[0.0]] * 20, [[0.0]] * 20)
