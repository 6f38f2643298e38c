"""Logistic regression in mini-batches: as good as the whole fit, every row as often as any other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mitools.estimators.class_information import calibrated_posterior as posterior
from mitools.estimators.class_information import minibatch_logistic as minibatch
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.class_information.minibatch_logistic import MinibatchLogistic
from mitools.estimators.inputs.row_table import RowTable


@pytest.mark.parametrize("bits", [0.3, 1.8])
def test_mini_batches_reach_the_certificate_of_the_whole_fit(
    mixture_of: Callable[[float], Any], monkeypatch: pytest.MonkeyPatch, bits: float
) -> None:
    mixture = mixture_of(bits)
    x, labels = mixture.draw(4000, np.random.default_rng(0))
    whole = ClassPosterior(prior="uniform", folds=1).fit(x, labels)
    monkeypatch.setattr(posterior, "NUMBERS_IN_MEMORY", 100)
    monkeypatch.setattr(minibatch, "STEPS_AT_LEAST", 1500)
    fit = ClassPosterior(prior="uniform", folds=1).fit(x, labels)
    assert fit.estimate_.settings["fitted_as"] == "mini-batches"
    assert fit.estimate_.settings["n_fitted"] == fit.estimate_.n_train
    assert fit.one_sided_low_nats_ < mixture.same_class_nats()
    assert fit.estimate_.nats == pytest.approx(whole.estimate_.nats, rel=0.03)
    assert fit.estimate_.null_nats == pytest.approx(0, abs=0.005)


def test_every_row_comes_once_before_any_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minibatch, "BATCH_ROWS", 10)
    monkeypatch.setattr(minibatch, "STEPS_AT_LEAST", 10)
    monkeypatch.setattr(minibatch, "PASSES_AT_MOST", 0)
    seen: list[float] = []

    def note(rows: np.ndarray) -> np.ndarray:
        seen.extend(rows[:, 0])
        return rows

    rows = np.arange(50, dtype=np.float32)[:, None]
    # A loss that always falls, so that every step is taken.
    falling = iter(range(100, 0, -1))
    MinibatchLogistic(2, note).fit(RowTable(rows), np.arange(50) % 2, lambda model: next(falling))
    assert sorted(seen[:50]) == sorted(seen[50:]) == list(range(50))
