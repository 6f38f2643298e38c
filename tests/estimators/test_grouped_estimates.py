"""Rows of one group depend on each other: with groups, intervals hold the truth; without, they do not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.neural import cross_fitted
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.pairing.same_class import SameClassPairs

GROUPS, MOST_ROWS, OWN_SHARE = 200, 20, 0.8
"""Groups, rows of the greatest, and the share of the variance that a group's rows have in common."""

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def grouped_classes(mixture: Any, seed: int) -> Drawn:
    """Rows of a mixture whose groups have a class and most of their value in common: the truth is as ever."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(GROUPS), rng.integers(1, MOST_ROWS + 1, GROUPS))
    label = rng.permutation(np.arange(GROUPS) % 4)[group]
    own, noise = rng.standard_normal(GROUPS)[group], rng.standard_normal(len(group))
    x = mixture.separation * label + np.sqrt(OWN_SHARE) * own + np.sqrt(1 - OWN_SHARE) * noise
    return x[:, None], label, group


def grouped_normals(rho: float, seed: int) -> Drawn:
    """Normal pairs of a correlation, which their groups have mostly in common."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(GROUPS), rng.integers(1, MOST_ROWS + 1, GROUPS))

    def pairs(n: int) -> np.ndarray:
        return rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], n)

    both = np.sqrt(OWN_SHARE) * pairs(GROUPS)[group] + np.sqrt(1 - OWN_SHARE) * pairs(len(group))
    return both[:, 0], both[:, 1], group


def holds(estimate: Any, truth: float) -> bool:
    return bool(estimate.interval_nats.low <= truth <= estimate.interval_nats.high)


def certificate_covers(mixture: Any, seeds: range) -> tuple[int, int]:
    """Count the intervals that hold the truth, with groups and without."""
    truth, found = mixture.same_class_nats(), np.zeros(2, dtype=int)
    for seed in seeds:
        x, y, groups = grouped_classes(mixture, seed)
        for place, given in enumerate((groups, None)):
            estimate = ClassPosterior(prior="uniform", seed=seed).estimate(x, y, given)
            found[place] += holds(estimate, truth)
    return int(found[0]), int(found[1])


def infonce_covers(rho: float, seeds: range) -> tuple[int, int]:
    truth, found = -0.5 * np.log(1 - rho**2), np.zeros(2, dtype=int)
    for seed in seeds:
        x, y, groups = grouped_normals(rho, seed)
        for place, given in enumerate((groups, None)):
            estimator = VariationalEstimator(hidden=(32,), max_steps=400, seed=seed)
            found[place] += holds(estimator.estimate(x, y, given), truth)
    return int(found[0]), int(found[1])


def test_a_certificate_of_groups_covers_and_without_them_fails(mixture_of: Callable[[float], Any]) -> None:
    with_groups, without = certificate_covers(mixture_of(1.0), range(20))
    assert with_groups >= 17
    assert without <= 14


@pytest.mark.slow
def test_certificates_of_a_hundred_seeds(mixture_of: Callable[[float], Any]) -> None:
    with_groups, without = certificate_covers(mixture_of(1.0), range(1000, 1100))
    assert with_groups >= 90
    assert without < 70


@pytest.mark.slow
def test_infonce_of_a_hundred_seeds() -> None:
    with_groups, without = infonce_covers(0.7, range(2000, 2100))
    assert with_groups >= 90
    assert without < 70


def test_infonce_of_groups_has_the_error_of_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[float] = []

    def seen(reading: Any, **known: Any) -> Any:
        trained.append(known["train_nats"])
        return assemble_estimate(reading, **known)

    monkeypatch.setattr(cross_fitted, "assemble_estimate", seen)
    x, y, groups = grouped_normals(0.7, 10)
    estimator = VariationalEstimator(hidden=(32,), max_steps=400, seed=10)
    grouped, alone = estimator.estimate(x, y, groups), estimator.estimate(x, y)
    assert grouped.stderr_nats > 1.7 * alone.stderr_nats
    assert (grouped.settings["groups"], alone.settings["groups"]) == (GROUPS, None)
    # With groups the upper limit has half of what training items read more; the lower has nothing of it.
    assert trained[0] > grouped.nats
    for estimate, more in ((grouped, (trained[0] - grouped.nats) / 2), (alone, 0.0)):
        low, high, _ = estimate.interval_nats
        assert estimate.nats - low == pytest.approx(1.96 * estimate.stderr_nats, rel=1e-4)
        assert high - estimate.nats == pytest.approx(estimate.nats - low + more)
    assert estimator.fit(x, y, groups=groups).influence_.shape == (GROUPS,)
    for fold in estimator.folds_:
        assert not set(groups[fold.parts.train]) & set(groups[fold.parts.report])


def test_same_class_pairs_of_groups_read_no_more_than_the_entropy() -> None:
    """Their product holds pairs of one group of pairs: without, it would hold too few of one class."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 8)
    labels = rng.permutation(np.arange(60) % 3)[groups]
    x = 5 * np.eye(3)[labels] + 0.1 * rng.standard_normal((480, 3))
    pairing = SameClassPairs(labels, "uniform", groups)
    for method in ("infonce", "dv"):
        estimator = VariationalEstimator(method, hidden=(32,), max_steps=200, folds=1)
        estimate = estimator.fit(x, x, pairing).estimate_
        assert 0.5 * np.log(3) < estimate.nats < np.log(3) + 0.02


def test_singletons_are_as_good_as_no_groups(mixture_of: Callable[[float], Any]) -> None:
    """Every row its own group: about the same error, though the split is another."""
    x, labels = mixture_of(1.0).draw(2000, np.random.default_rng(0))
    alone, singles = (ClassPosterior().estimate(x, labels, groups) for groups in (None, np.arange(2000)))
    assert singles.nats == pytest.approx(alone.nats, abs=0.02)
    assert singles.stderr_nats == pytest.approx(alone.stderr_nats, rel=0.2)


def test_same_class_pairs_are_of_two_groups(mixture_of: Callable[[float], Any]) -> None:
    _, labels, groups = grouped_classes(mixture_of(1.0), 0)
    pairs = SameClassPairs(labels, "uniform", groups)
    members = pairs.within(np.arange(len(labels)))
    x, y = members.independent(np.random.default_rng(0))
    assert (labels[x] == labels[y]).all()
    assert (groups[x] != groups[y]).all()
    assert len(np.unique(np.r_[x, y])) == 2 * len(x)
    # A group has one partner alone, so that pairs of two pairs of groups share nothing.
    partners = np.unique(np.c_[groups[x], groups[y]], axis=0)
    assert len(np.unique(partners)) == partners.size
    assert np.bincount(labels[x]).min() > 0.8 * np.bincount(labels[x]).max()
    assert len(x) > 0.35 * len(labels)
    x, y = members.draw(5000, np.random.default_rng(0))
    assert (labels[x] == labels[y]).all()
    assert (groups[x] != groups[y]).all()


def test_groups_are_given_once(mixture_of: Callable[[float], Any]) -> None:
    x, labels, groups = grouped_classes(mixture_of(1.0), 0)
    fitted = ClassPosterior(folds=1).fit(x, labels, groups=groups)
    assert fitted.estimate_.settings["groups"] == GROUPS
    again = ClassPosterior().fit(x, labels, fitted.parts_)
    assert again.estimate_.nats == fitted.estimate_.nats
    with pytest.raises(InputError, match="give groups or parts, not both"):
        ClassPosterior().fit(x, labels, fitted.parts_, groups)
    with pytest.raises(InputError, match="has its own groups"):
        VariationalEstimator().fit(x, x, parts=fitted.parts_, groups=groups)
