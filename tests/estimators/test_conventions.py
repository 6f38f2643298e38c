"""Every estimator follows scikit-learn to the end, and takes numbers in whatever they are kept."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

from mitools.core.errors import InputError
from mitools.estimators import ChainRule, ClassPosterior, GivenClasses, KnownDensityEstimator
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator
from mitools.estimators.classical.gaussian import GaussianEstimator
from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise
from mitools.estimators.neural.known_density import KNOWN_DENSITY_METHODS
from mitools.estimators.neural.mine_protocol import MineProtocol
from mitools.estimators.registry import ESTIMATORS, make_estimator

BRIEF = {"hidden": (8,), "max_steps": 40, "check_every": 20, "folds": 1, "learning_rate": 0.01}
N = 300
RNG = np.random.default_rng(0)
LABELS = np.arange(2 * N) % 3
X = RNG.standard_normal((2 * N, 2))
Y = 0.8 * X + 0.6 * RNG.standard_normal(X.shape)
ROWS = LABELS[:, None] + RNG.standard_normal((2 * N, 2))


def brief(name: str) -> MIEstimator:
    """An estimator by name, that trains for a moment only."""
    if name == "mine_protocol":
        return MineProtocol(hidden=8, batch_size=50, steps=30, learning_rate=1e-3)
    if name.startswith("known "):
        return KnownDensityEstimator(AdditiveGaussianNoise(0.36), name.removeprefix("known "))
    estimator = make_estimator(name)
    if name == "components":
        return estimator
    parameters = estimator.get_params()
    return estimator.set_params(**{key: value for key, value in BRIEF.items() if key in parameters})


def pairs(name: str) -> tuple[Any, Any]:
    """Pairs that it reads: 600 of them, the first half to fit to."""
    if name in ESTIMATORS and ESTIMATORS[name].needs_symbols:
        return LABELS, (LABELS + (ROWS[:, 0] > 0)) % 3
    if name in ESTIMATORS and ESTIMATORS[name].needs_labels:
        return ROWS, LABELS
    if name == "auto":
        return X[:, :1], Y[:, :1]
    return X, Y[:, :1] if name == "barber_agakov" else Y


NAMES = [*ESTIMATORS, "mine_protocol", *(f"known {method}" for method in KNOWN_DENSITY_METHODS)]


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def fitted(name: str) -> MIEstimator:
    x, y = pairs(name)
    return brief(name).fit(x[:N], y[:N])


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
    ],
    ids=lambda check: check.__name__,
)
def test_scikit_learns_own_checks_of_parameters(name: str, check: Any) -> None:
    estimator = brief(name)
    # A known density is the caller's, and has no default.
    if not (name.startswith("known ") and "constructible" in check.__name__):
        check(type(estimator).__name__, estimator)


def test_what_fit_makes_raises_not_fitted_before_it(name: str) -> None:
    estimator = brief(name)
    x, y = pairs(name)
    for ask in (lambda: estimator.estimate_, lambda: estimator.anything_, lambda: estimator.score(x, y)):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            ask()
    assert not hasattr(estimator, "estimate_")
    with pytest.raises(AttributeError, match="has no attribute 'anything'"):
        estimator.anything  # type: ignore[attr-defined]  # noqa: B018


def test_a_fitted_estimator_knows_what_it_does_not_have(fitted: MIEstimator) -> None:
    with pytest.raises(AttributeError, match="has no attribute 'anything_'") as caught:
        fitted.anything_  # type: ignore[attr-defined]  # noqa: B018
    assert not isinstance(caught.value, NotFittedError)


def test_a_clone_is_not_fitted_and_has_the_parameters(fitted: MIEstimator) -> None:
    copied = clone(fitted)
    assert not hasattr(copied, "estimate_")
    own, other = fitted.get_params(), copied.get_params()
    assert own.keys() == other.keys()
    assert {key: repr(value) for key, value in own.items() if key != "conditional"} == {
        key: repr(value) for key, value in other.items() if key != "conditional"
    }


def test_a_score_is_what_new_rows_read_in_bits(name: str, fitted: MIEstimator) -> None:
    x, y = pairs(name)
    score = fitted.score(x[N:], y[N:])
    assert isinstance(score, float)
    assert score == fitted.score(x[N:], y[N:])
    estimate = fitted.estimate_
    # As far from the estimate as two samples of 300 and of 60 rows may be.
    assert score == pytest.approx(estimate.bits, abs=4 * (estimate.stderr_bits or 0) + 0.25)


def test_pickled_it_stays_what_it_is(name: str, fitted: MIEstimator) -> None:
    x, y = pairs(name)
    read = pickle.loads(pickle.dumps(fitted))
    assert read.estimate_ == fitted.estimate_
    assert read.score(x[N:], y[N:]) == fitted.score(x[N:], y[N:])


@pytest.mark.parametrize("name", ["infonce", "adaptive", "club", "ksg", "mine_protocol", "class_posterior"])
def test_new_rows_must_be_like_those_fitted_to(name: str) -> None:
    x, y = pairs(name)
    fitted = brief(name).fit(x[:N], y[:N])
    with pytest.raises(InputError, match=r"300 rows and .* 299"):
        fitted.score(x[N:], y[N + 1 :])
    if name == "ksg":
        return
    with pytest.raises(InputError, match="has 1 columns, but the fit had 2"):
        fitted.score(x[N:, :1], y[N:])
    with pytest.raises(InputError, match="has 3 columns, but the fit had 2"):
        fitted.score(np.hstack([x, x[:, :1]]), y)


WAYS: dict[str, Any] = {
    "list": lambda values: values.tolist(),
    "frame": lambda values: pd.DataFrame(values) if values.ndim == 2 else pd.Series(values),
    "nullable": lambda values: (
        pd.DataFrame({k: pd.array(column) for k, column in enumerate(values.T)})
        if values.ndim == 2
        else pd.Series(pd.array(values))
    ),
    "tensor": torch.from_numpy,
    "with a gradient": lambda values: (
        torch.from_numpy(values).requires_grad_() * 1
        if values.dtype.kind == "f"
        else torch.from_numpy(values)
    ),
    "list of tensors": lambda values: (
        list(torch.from_numpy(values).requires_grad_()) if values.ndim == 2 else values
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "name",
    ["auto", "infonce", "club", "class_posterior", "ksg", "mixed_ksg", "discrete", "binned", "gaussian"],
)
def test_it_does_not_matter_in_what_numbers_are_kept(name: str, way: str) -> None:
    x, y = (side[:N] for side in pairs(name))
    expected = brief(name).estimate(x, y)
    found = brief(name).estimate(WAYS[way](x), WAYS[way](y))
    # A frame keeps its columns one after another, so that sums of them round otherwise.
    assert found.nats == pytest.approx(expected.nats, rel=1e-12)
    assert found.null_nats == pytest.approx(expected.null_nats, rel=1e-9, abs=1e-12)


def test_a_tensor_with_a_gradient_keeps_it() -> None:
    x = torch.from_numpy(X[:N]).requires_grad_()
    brief("infonce").fit(x, torch.from_numpy(Y[:N]))
    assert x.requires_grad
    assert x.grad is None


def test_labels_may_be_names_in_a_series() -> None:
    names = np.array(["ape", "bee", "cat"])[LABELS[:N]]
    expected = ClassPosterior().estimate(ROWS[:N], LABELS[:N])
    for labels in (names, list(names), pd.Series(names), pd.Series(names, dtype="category")):
        assert ClassPosterior().estimate(ROWS[:N], labels).nats == expected.nats


@pytest.mark.parametrize("kind", ["class_posterior", "label_information"])
def test_a_certificates_classifier_answers_for_new_rows(kind: str) -> None:
    names = np.array(["ape", "bee", "cat"])[LABELS]
    fitted = make_estimator(kind).fit(ROWS[:N], names[:N])
    assert isinstance(fitted, PosteriorEstimator)
    assert fitted.classes_.tolist() == ["ape", "bee", "cat"]
    probabilities = fitted.predict_proba(torch.from_numpy(ROWS[N:]))
    assert probabilities.shape == (N, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    predicted = fitted.predict(ROWS[N:])
    np.testing.assert_array_equal(predicted, fitted.classes_[probabilities.argmax(axis=1)])
    assert (predicted == names[N:]).mean() > 0.5
    if isinstance(fitted, ClassPosterior):
        assert (predicted == names[N:]).mean() == pytest.approx(fitted.accuracy_, abs=0.15)


def test_a_certificate_names_what_new_rows_lack() -> None:
    fitted = ClassPosterior().fit(ROWS[:N], LABELS[:N])
    with pytest.raises(NotFittedError):
        ClassPosterior().predict_proba(ROWS)
    with pytest.raises(InputError, match="features has 1 columns, but the fit had 2"):
        fitted.predict(ROWS[:, 0])
    with pytest.raises(InputError, match="labels hold 7, which is none of the 3 classes of the fit"):
        fitted.score(ROWS[N:], LABELS[N:] + 5 * (LABELS[N:] == 2))
    with pytest.raises(InputError, match="labels hold 'ape', which is none"):
        fitted.score(ROWS[N:], np.array(["ape", "bee", "cat"])[LABELS[N:]])
    with pytest.raises(InputError, match="class 2 has 0 of the new rows, but two of every class"):
        fitted.score(ROWS[N:][LABELS[N:] < 2], LABELS[N:][LABELS[N:] < 2])


@pytest.mark.parametrize(("order", "kind"), [(1, "labels"), (-1, "labels"), (1, "symbols"), (1, "names")])
def test_the_automatic_choice_scores_labels_on_either_side(order: int, kind: str) -> None:
    labels = {
        "labels": LABELS,
        "symbols": LABELS / 10,
        "names": np.array(["ape", "bee", "cat"])[LABELS],
    }[kind]
    rows = np.hstack([ROWS, RNG.standard_normal((2 * N, 30))])
    sides = (rows, labels)[::order]
    fitted = make_estimator("auto").fit(*(side[:N] for side in sides))
    assert fitted.estimate_.settings["chosen"] == "label_information"
    score = fitted.score(*(side[N:] for side in sides))
    assert score == pytest.approx(fitted.estimate_.bits, abs=0.3)


def test_conditional_information_is_asked_for_after_its_fit_only() -> None:
    for conditional in (ChainRule(GaussianEstimator()), GivenClasses(GaussianEstimator())):
        with pytest.raises(NotFittedError):
            conditional.estimate_  # noqa: B018
        assert not hasattr(clone(conditional), "estimate_")
    with pytest.raises(NotFittedError):
        CalibratedPosterior().predict(ROWS.astype(np.float32))
