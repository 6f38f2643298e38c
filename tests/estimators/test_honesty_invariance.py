"""A map of each column that can be undone changes no information, and so must change no reading."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.datasets.known_information.tasks import find_task
from mitools.estimators.base import MIEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.registry import ESTIMATORS, make_estimator

Floats = NDArray[np.float64]
NEURAL: dict[str, Any] = {
    "hidden": (16,),
    "batch_size": 64,
    "max_steps": 60,
    "learning_rate": 1e-2,
    "folds": 1,
}

BIJECTIONS: dict[str, Callable[[Floats], Floats]] = {
    "scaled and moved": lambda column: 1e3 * column - 50,
    "a cube": lambda column: column**3,
    "shorter tails": np.arcsinh,
    "longer tails": np.sinh,
    "an exponential": np.exp,
}


def bent(rows: Floats) -> Floats:
    """Map every column by another bijection."""
    maps = list(BIJECTIONS.values())
    return np.column_stack([maps[k % len(maps)](column) for k, column in enumerate(rows.T)])


@pytest.mark.parametrize("task", ["sparse normal 3x3", "sparse student 3 df 5x5"])
@pytest.mark.parametrize(
    "estimator",
    [
        GaussianCopulaEstimator(),
        KSG(),
        VariationalEstimator("infonce", scaling="rank_normal", **NEURAL),
        VariationalEstimator("dv", scaling="rank_normal", base="gaussian_copula", **NEURAL),
    ],
    ids=lambda estimator: estimator.__class__.__name__,
)
def test_increasing_bijections_change_nothing(estimator: MIEstimator, task: str) -> None:
    known = find_task(task).sample(800, seed=11)
    x, y = np.clip(known.x, -300, 300), np.clip(known.y, -300, 300)
    before = estimator.estimate(x, y)
    after = estimator.estimate(bent(x), bent(y[:, ::-1])[:, ::-1])
    # Report rows fall between training ranks, where a bent map interpolates a little differently.
    assert after.nats == pytest.approx(before.nats, abs=0.02 if before.n_train else 1e-9)
    assert before.nats > 0.1


@pytest.mark.parametrize("estimator", [GaussianCopulaEstimator(), KSG()])
def test_turned_columns_change_nothing(estimator: MIEstimator) -> None:
    known = find_task("sparse normal 3x3").sample(800, seed=11)
    turned = known.x * [1, -1, 1]
    assert estimator.estimate(turned, known.y).nats == pytest.approx(
        estimator.estimate(known.x, known.y).nats, abs=1e-6
    )


def test_names_of_labels_change_nothing() -> None:
    known = find_task("labelled intervals").sample(800, seed=11)
    labels = known.y if known.y.dtype.kind == "i" else known.x
    rows = known.x if labels is known.y else known.y
    renamed = np.array([30, 7, 99, -4, 0, 12, 5, 8])[labels]
    estimator = MixedKSG()
    assert estimator.estimate(rows, renamed).nats == pytest.approx(
        estimator.estimate(rows, labels).nats, abs=1e-9
    )


@pytest.mark.skipif("auto" not in ESTIMATORS, reason="there is no automatic choice")
@pytest.mark.slow
@pytest.mark.parametrize("task", ["normal 1x1", "sparse normal 3x3", "student 1 df 2x2"])
def test_auto_changes_by_less_than_three_hundredths(task: str) -> None:
    known = find_task(task).sample(4000, seed=11)
    x, y = np.clip(known.x, -300, 300), np.clip(known.y, -300, 300)
    before, after = (make_estimator("auto").estimate(*rows) for rows in ((x, y), (bent(x), bent(y))))
    assert after.nats == pytest.approx(before.nats, abs=0.03)
