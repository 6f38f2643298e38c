"""Approximate neighbours: what an index finds is told, and what it does not find does not vote."""

import sys
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.metrics.approximate_rows import ApproximateRows
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.nearest_rows import nearest_rows
from mitools.metrics.sphere import UnitRows

N, K = 400, 5


class EvenRows:
    """Stands for an index of faiss: it finds rows of even number alone, and never more than four."""

    def __init__(self) -> None:
        self.rows = np.empty((0, 3), dtype=np.float32)

    def train(self, rows: Any) -> None:
        assert len(rows) <= N

    def add(self, rows: Any) -> None:
        self.rows = np.concatenate([self.rows, rows])

    def search(self, queries: Any, k: int) -> tuple[Any, Any]:
        cosine = queries @ self.rows.T
        cosine[:, 1::2] = -2
        order = np.argsort(-cosine, axis=1)[:, :k]
        found = np.take_along_axis(cosine, order, axis=1)
        order[:, 4:], found[:, 4:] = -1, -9
        return found, order


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(N) % 4
    centres = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]])
    return (centres[labels] + 0.4 * rng.standard_normal((N, 3))).astype(np.float32), labels


@pytest.fixture
def even(monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(index_factory=lambda d, words, metric: EvenRows(), METRIC_INNER_PRODUCT=0)
    monkeypatch.setitem(sys.modules, "faiss", made)


@pytest.mark.usefixtures("even")
def test_the_recall_is_the_share_of_true_neighbours_that_were_found(
    rows: tuple[np.ndarray, np.ndarray],
) -> None:
    bank = UnitRows(rows[0])
    index = ApproximateRows(bank)
    exact = nearest_rows(bank[:], bank, K)[1]
    # Every query is checked, as there are fewer than are checked at the most.
    queries = UnitRows(rows[0][:200])
    expected = np.mean([min(4, sum(int(i) % 2 == 0 for i in own)) / K for own in exact[:200]])
    assert index.recall(queries, K) == pytest.approx(expected)
    assert 0.3 < expected < 0.7


@pytest.mark.usefixtures("even")
def test_only_rows_that_are_found_vote(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, labels = rows
    labels = np.where(np.arange(N) == 0, 3, labels)  # the first row, which a place of -1 must not stand for
    with pytest.warns(UserWarning, match=r"approximate neighbours: \d+\.\d% of the 5 nearest rows are found"):
        found = knn_accuracy(features, labels, features[1::2], labels[1::2], [K], search="faiss")
    similarity, place = nearest_rows(UnitRows(features)[:][1::2], UnitRows(features)[:][::2], 4)
    weight = ((similarity - similarity[:, :1]) / 0.07).double().exp()
    votes = torch.zeros(len(weight), 4, dtype=torch.float64)
    votes.scatter_add_(1, torch.from_numpy(labels[::2])[place], weight)
    assert found[K] == (votes.argmax(dim=1).numpy() == labels[1::2]).mean()


@pytest.mark.usefixtures("even")
def test_a_query_that_finds_nothing_is_guessed_wrong(
    rows: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels = rows[0], np.zeros(N, dtype=int)  # of the first class, which no votes at all would name
    search = EvenRows.search

    def half_of_it(self: EvenRows, queries: Any, k: int) -> tuple[Any, Any]:
        found, order = search(self, queries, k)
        found[::2], order[::2] = -9, -1
        return found, order

    monkeypatch.setattr(EvenRows, "search", half_of_it)
    with pytest.warns(UserWarning, match="approximate neighbours"):
        assert knn_accuracy(features, labels, features, labels, [1, K], search="faiss") == {1: 0.5, K: 0.5}


def test_an_exact_search_tells_nothing_and_unknown_ones_are_refused(
    rows: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        knn_accuracy(*rows, *rows, [K])
    with pytest.raises(InputError, match="unknown search 'fais'"):
        knn_accuracy(*rows, *rows, [K], search="fais")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(
        InputError, match=r'needs faiss, which is not installed; pip install "mitools\[faiss\]"'
    ):
        knn_accuracy(*rows, *rows, [K], search="faiss")


def test_faiss_finds_most_neighbours(rows: tuple[np.ndarray, np.ndarray]) -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(1)
    bank = UnitRows(rng.standard_normal((20_000, 8)).astype(np.float32))
    queries = UnitRows(rng.standard_normal((100, 8)).astype(np.float32))
    index = ApproximateRows(bank)
    exact = nearest_rows(queries[:], bank, 10)
    found = index.nearest(queries[:], 10)
    assert index.recall(queries, 10) > 0.8
    alike = exact[1] == found[1]
    torch.testing.assert_close(found[0][alike], exact[0][alike], atol=2e-3, rtol=0)
