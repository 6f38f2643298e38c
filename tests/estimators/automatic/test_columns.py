"""Constant and repeated columns: left out, told, and without any effect on the number."""

import numpy as np
import pytest

from mitools.estimators.auto import AutoEstimator
from mitools.estimators.automatic.columns import telling_columns

RNG = np.random.default_rng(40)
ROWS = RNG.standard_normal((400, 2))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("factor", [3.0, -0.1])
@pytest.mark.parametrize("offset", [0.0, 7.0])
def test_multiples_and_constants_are_left_out(dtype, factor, offset):
    rows = np.c_[ROWS, np.full(400, 2.0), factor * ROWS[:, 0] + offset, ROWS[:, 1]].astype(dtype)
    found = telling_columns(rows)
    assert (found.kept.tolist(), found.constant, found.repeated) == ([0, 1], 1, 2)


def test_what_is_nearly_a_multiple_stays():
    rows = np.c_[ROWS[:, 0], ROWS[:, 0] + 1e-6 * ROWS[:, 1], np.exp(ROWS[:, 0])]
    found = telling_columns(rows)
    assert (found.kept.tolist(), found.constant, found.repeated) == ([0, 1, 2], 0, 0)


def test_one_of_all_constant_columns_stays():
    assert telling_columns(np.ones((10, 3))).kept.tolist() == [0]


class TestInAuto:
    def fit(self, x, y):
        return AutoEstimator(max_steps=20).fit(x, y)

    def test_they_change_nothing_and_are_told(self):
        y = ROWS[:, 0] + 0.3 * RNG.standard_normal(400)
        more = np.c_[np.zeros(400), ROWS[:, 0], 2 - 5 * ROWS[:, 0], ROWS[:, 1], ROWS[:, 1]]
        plain, padded = self.fit(ROWS, y), self.fit(more, y)
        assert padded.estimate_.nats == plain.estimate_.nats
        assert padded.estimate_.interval_nats == plain.estimate_.interval_nats
        told = "1 constant and 2 that repeat another left out"
        assert padded.estimate_.settings["x_because"] == f"there are 5 columns, {told}"
        assert "left out" not in plain.estimate_.settings["x_because"]
        assert padded.score(more, y) == plain.score(ROWS, y)

    def test_beside_labels(self):
        labels = np.repeat(["a", "b"], 200)
        rows = ROWS + 2 * (labels == "a")[:, None]
        plain, padded = self.fit(rows, labels), self.fit(np.c_[rows, rows[:, 0], np.ones(400)], labels)
        assert padded.estimate_.nats == plain.estimate_.nats
        assert padded.score(np.c_[rows, rows[:, 0], np.ones(400)], labels) == plain.score(rows, labels)
