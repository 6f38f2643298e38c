"""Rows that do not fit in memory: the same numbers, and no more rows at a time than are asked for."""

import numpy as np
import pytest
import torch

from mitools.estimators import VariationalEstimator
from mitools.estimators.critics.networks import CRITICS, BlindCritic, embedded
from mitools.estimators.inputs import row_table as tables
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.neural import cross_fitted
from mitools.estimators.neural import plan as held_out

RNG = np.random.default_rng(0)
X = RNG.standard_normal((900, 3)).astype(np.float32)
Y = (0.8 * X + 0.6 * RNG.standard_normal(X.shape)).astype(np.float32)


def estimator(**settings):
    brief = {"hidden": (16,), "max_steps": 60, "check_every": 20, "folds": 1, "scaling": "standardise"}
    return VariationalEstimator(**brief | settings)


@pytest.mark.parametrize("base", ["none", "gaussian_copula"])
def test_rows_scaled_by_batch_give_the_number_of_rows_scaled_at_once(monkeypatch, base):
    at_once = estimator(base=base).estimate(X, Y)
    # Too little for the tables, enough for the training pairs that a base is fitted to.
    monkeypatch.setattr(held_out, "NUMBERS_IN_MEMORY", X.size - 1)
    by_batch = estimator(base=base).estimate(X, Y)
    assert by_batch.nats == at_once.nats > 0.3
    assert by_batch.stderr_nats == at_once.stderr_nats


def sizes_read(monkeypatch):
    """Note the size of whatever is read of a table from now on."""
    read, rows_of = [], RowTable.rows

    def rows(table, *index):
        found = rows_of(table, *index)
        read.append(found.size)
        return found

    monkeypatch.setattr(RowTable, "rows", rows)
    return read


def test_out_of_core_no_more_is_read_at_a_time_than_a_part(monkeypatch):
    most = X.size // 3
    monkeypatch.setattr(held_out, "NUMBERS_IN_MEMORY", most)
    monkeypatch.setattr(cross_fitted, "NUMBERS_IN_MEMORY", most)
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", most)
    read = sizes_read(monkeypatch)
    whole = estimator(base="gaussian_copula").fit(X.astype(np.float16), Y.astype(np.float16)).estimate_
    assert 0 < max(read) <= most
    assert whole.nats == pytest.approx(estimator(base="gaussian_copula").estimate(X, Y).nats, abs=0.05)


def test_what_is_reported_on_is_embedded_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(held_out, "NUMBERS_IN_MEMORY", X.size - 1)
    fitted = estimator().fit(X, Y)
    fold = fitted.plan(X, Y).folds[0]
    whole, part = fold.read(fitted.critic_), X.size // 50
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", part)
    read = sizes_read(monkeypatch)
    assert fold.read(fitted.critic_).nats == pytest.approx(whole.nats, abs=1e-6)
    assert max(read) <= part
    assert sum(read) == 2 * len(fold.report.x) * X.shape[1]


@pytest.mark.parametrize("method", ["infonce", "dv", "nt_xent"])
def test_a_blind_critic_reads_no_rows(monkeypatch, method):
    """All rows of *report* at once would be more than memory holds where there are a million."""
    monkeypatch.setattr(held_out, "NUMBERS_IN_MEMORY", X.size - 1)
    fold = estimator(method=method).plan(X, Y).folds[0]
    read = sizes_read(monkeypatch)
    found = fold.read(BlindCritic())
    assert read == []
    assert len(found.influence) == len(fold.report.x)
    assert found.nats == pytest.approx(0.0, abs=1e-6)


def test_a_look_reads_so_many_pairs_at_the_most(monkeypatch):
    monkeypatch.setattr(held_out, "SELECT_PAIRS_READ", 40)
    fitted = estimator().fit(X, Y)
    assert len(fitted.plan(X, Y).members[0].read_select(fitted.critic_).influence) == 40
    assert fitted.estimate_.n_select == 135


@pytest.mark.parametrize("name", [name for name in CRITICS if hasattr(CRITICS[name], "embed")])
def test_embedded_once_or_scored_whole_is_the_same(name):
    torch.manual_seed(0)
    critic = CRITICS[name](3, 3, hidden=(8,))
    x, y = torch.from_numpy(X[:50]), torch.from_numpy(Y[:70])
    score, u, v = embedded(critic, x.split(20), y.split(20))
    with torch.no_grad():
        torch.testing.assert_close(score(u, v), critic(x, y))
    assert (len(u), len(v)) == (50, 70)
