"""Every word of care: samples that provoke it from an estimator, and samples that do not."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest

from mitools.core.estimate import Estimate, WarningWord
from mitools.estimators.auto import AutoEstimator
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.classical.binned import BinnedEstimator
from mitools.estimators.classical.components.canonical import ComponentEstimator
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.nsb import NSBEstimator
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.pairing.same_class import SameClassPairs

BRIEF: dict[str, Any] = {
    "hidden": (32,),
    "batch_size": 64,
    "max_steps": 200,
    "learning_rate": 5e-3,
    "folds": 1,
}


def normal(rho: float, n: int, d: int = 1) -> tuple[Any, Any]:
    x, noise = np.random.default_rng(3).standard_normal((2, n, d))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def squared(columns: int) -> tuple[Any, Any]:
    """y goes with one column and its square; the other columns are noise of their own."""
    x, noise = np.random.default_rng(3).standard_normal((2, 500, columns))
    return x, x[:, :1] + np.square(x[:, -1:]) + 0.5 * noise[:, :1]


def one_scale() -> tuple[Any, Any]:
    """Columns that are uncorrelated and share how large they are."""
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 500, 2)) / np.sqrt(rng.chisquare(2, (1, 500, 1)))
    return x, y


def infonce(rho: float, n: int, d: int = 1, **changes: Any) -> Estimate:
    return VariationalEstimator(**({"method": "infonce"} | BRIEF | changes)).estimate(*normal(rho, n, d))


def perfect_classes(method: str) -> Estimate:
    labels = np.repeat(np.arange(10), 20)
    x = np.eye(10)[labels]
    critic = "projection" if method == "nt_xent" else "separable"
    estimator = VariationalEstimator(method, critic, **(BRIEF | {"max_steps": 300, "learning_rate": 0.01}))
    return estimator.fit(x, x, SameClassPairs(labels)).estimate_


def classes(separation: float, n: int = 600) -> Estimate:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, n)
    return ClassPosterior().estimate(separation * labels[:, None] + rng.standard_normal((n, 2)), labels)


def symbols(count: int, n: int) -> Estimate:
    x, noise = np.random.default_rng(3).integers(0, count, (2, n))
    return DiscreteEstimator().estimate(x, (x + (noise < count / 4)) % count)


def subjects(recordings: int, noise: float) -> Estimate:
    """A label a subject, and several recordings of each."""
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(1000 // recordings), recordings)
    x, labels = rng.standard_normal((len(who), 10)), rng.integers(0, 2, len(who))
    return AutoEstimator().estimate(x[who] + noise * rng.standard_normal((len(who), 10)), labels[who])


def walks(shuffled: bool) -> Estimate:
    rows = np.cumsum(np.random.default_rng(3).standard_normal((400, 2)), axis=0)
    x, y = (np.random.default_rng(3).permutation(rows) if shuffled else rows).T
    return AutoEstimator().estimate(x, y)


def shuffled_channel(count: int, n: int) -> Estimate:
    """Half of the rows show another symbol for each symbol: the same 0 to 9 for those of one block of ten."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, count, n)
    return NSBEstimator().estimate(x, x // 10 * 10 + rng.integers(0, 10, n))


def ring(noise: float, n: int = 800) -> Estimate:
    """Two values of y for every x: no regression sees what they share, and neighbours blur a thin ring."""
    rng = np.random.default_rng(3)
    angle = 2 * np.pi * rng.random(n)
    x, y = np.array([np.cos(angle), np.sin(angle)]) + noise * rng.standard_normal((2, n))
    return AutoEstimator().estimate(x, y)


def turned_uniform(noise: float, n: int = 1500) -> Estimate:
    """What only the residuals of a regression read, where the noise is small: ranks see no turned square."""
    rng = np.random.default_rng(62)
    x = rng.random((n, 2))
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    return AutoEstimator(max_steps=20).estimate(x @ turn, x + noise * rng.uniform(-1, 1, (n, 2)))


Make = Callable[[], Estimate]

CASES: list[tuple[WarningWord, Make, Make]] = [
    # 60 report pairs of one and the same rows cannot read more than log 60, and nearly do.
    ("saturated", lambda: infonce(1.0, 300, d=4), lambda: infonce(0.8, 1000)),
    ("saturated", lambda: BinnedEstimator(2, 2).estimate(*normal(0.9999, 500)),
     lambda: BinnedEstimator(8, 8).estimate(*normal(0.8, 500))),
    # Three of the 39 views an anchor meets are of its class: log(39/3) is more than log(10).
    ("exceeds_entropy", lambda: perfect_classes("nt_xent"), lambda: perfect_classes("infonce")),
    ("indistinguishable_from_zero", lambda: infonce(0.0, 1000), lambda: infonce(0.8, 1000)),
    ("indistinguishable_from_zero", lambda: classes(0.0), lambda: classes(3.0)),
    ("indistinguishable_from_zero", lambda: KSG().estimate(*normal(0.0, 500)),
     lambda: KSG().estimate(*normal(0.8, 500))),
    ("overfit", lambda: infonce(0.5, 300, d=20), lambda: infonce(0.8, 3000)),
    ("still_rising", lambda: infonce(0.9, 1000, max_steps=50),
     lambda: infonce(0.9, 1000, max_steps=2000, patience=3, check_every=25)),
    ("small_sample", lambda: GaussianEstimator().estimate(*normal(0.8, 40)),
     lambda: GaussianEstimator().estimate(*normal(0.8, 60))),
    ("small_sample", lambda: GaussianEstimator().estimate(*normal(0.8, 60, d=40)),
     lambda: GaussianEstimator().estimate(*normal(0.8, 100, d=40))),
    ("small_sample", lambda: KSG().estimate(*normal(0.8, 500, d=10)),
     lambda: KSG().estimate(*normal(0.8, 500))),
    ("small_sample", lambda: symbols(100, 200), lambda: symbols(4, 200)),
    ("copies", lambda: subjects(5, 0.0), lambda: subjects(1, 0.0)),
    ("near_copies", lambda: subjects(5, 0.01), lambda: subjects(1, 0.01)),
    ("serial_dependence", lambda: walks(shuffled=False), lambda: walks(shuffled=True)),
    ("rises_with_n", lambda: ring(0.005), lambda: ring(0.2)),
    ("methods_disagree", lambda: turned_uniform(0.015), lambda: turned_uniform(0.5)),
    ("not_normal", lambda: GaussianEstimator().estimate(*squared(1)),
     lambda: GaussianEstimator().estimate(*normal(0.8, 500, d=2))),
    ("not_normal", lambda: GaussianCopulaEstimator().estimate(*squared(1)),
     lambda: GaussianCopulaEstimator().estimate(*normal(0.8, 500, d=2))),
    # What one pair of components shares is read by neighbours; what a column shares with another is not.
    ("dependence_left", lambda: ComponentEstimator().estimate(*squared(2)),
     lambda: ComponentEstimator().estimate(*squared(1))),
    ("dependence_left", lambda: ComponentEstimator().estimate(*one_scale()),
     lambda: ComponentEstimator().estimate(*normal(0.8, 500, d=2))),
    ("few_pairs", lambda: infonce(1.0, 300, d=10, method="dv"), lambda: infonce(0.8, 1000, method="dv")),
    ("undersampled", lambda: shuffled_channel(100, 500), lambda: shuffled_channel(10, 500)),
    ("undersampled", lambda: NSBEstimator().estimate(*np.random.default_rng(3).integers(0, 300, (2, 300))),
     lambda: NSBEstimator().estimate(*np.random.default_rng(3).integers(0, 30, (2, 300)))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "provoking", "harmless"), CASES, ids=[f"{word}-{k}" for k, (word, *_) in enumerate(CASES)]
)
def test_a_word_is_said_where_it_is_true_and_only_there(
    word: WarningWord, provoking: Make, harmless: Make
) -> None:
    estimate = provoking()
    assert estimate.has_warning(word)
    sentence = next(warning.sentence for warning in estimate.warnings if warning.word == word)
    assert len(sentence) > 20
    assert "\n" not in sentence
    assert next(warning.remedy for warning in estimate.warnings if warning.word == word)
    assert not harmless().has_warning(word)


def test_no_word_is_left_out() -> None:
    assert {word for word, _, _ in CASES} == set(get_args(WarningWord))
