"""Intrinsic dimension and cluster learnability on features whose answers are known."""

import numpy as np
import pytest

from mitools.metrics.intrinsic_dimension import cluster_learnability as learnability_module
from mitools.metrics.intrinsic_dimension.cluster_learnability import cluster_learnability
from mitools.metrics.intrinsic_dimension.two_nn import two_nn


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_the_dimension_of_a_cube_in_more_columns_is_found(dimension: int) -> None:
    rng = np.random.default_rng(0)
    cube = rng.random((3000, dimension)) @ np.linalg.qr(rng.standard_normal((12, dimension)))[0].T
    assert two_nn(cube) == pytest.approx(dimension, rel=0.1)


def test_the_fit_is_that_of_the_paper_on_a_few_points() -> None:
    rows = np.cumsum(np.random.default_rng(1).random(40))[:, None]
    gaps = np.sort(np.abs(rows - rows.T), axis=1)
    ratio = np.sort(gaps[:, 2] / gaps[:, 1])[:36]
    y = -np.log(1 - np.arange(1, 37) / 40)
    slope = np.linalg.lstsq(np.log(ratio)[:, None], y, rcond=None)[0][0]
    assert two_nn(rows) == pytest.approx(slope, rel=1e-4)


def test_copies_count_once_and_too_few_rows_have_no_dimension() -> None:
    rows = np.random.default_rng(0).random((300, 2))
    assert two_nn(np.vstack([rows, rows])) == two_nn(rows)
    assert np.isnan(two_nn(np.zeros((50, 3))))


def test_clusters_that_lie_apart_are_learnt_at_once_and_noise_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    tight = np.eye(5)[rng.integers(0, 5, 200)] + 1e-3 * rng.standard_normal((200, 5))
    noise = rng.standard_normal((200, 30))
    whole = cluster_learnability(tight, 5), cluster_learnability(noise, 5)
    assert whole[0] == pytest.approx(1 - 5 / 200)  # the first item of each cluster is wrong
    assert whole[1] < 0.7
    monkeypatch.setattr(learnability_module, "BLOCK", 17)
    assert (cluster_learnability(tight, 5), cluster_learnability(noise, 5)) == whole


def test_prequential_accuracy_by_hand() -> None:
    rows = np.array([[0.0], [0.1], [9.0], [9.1], [0.2]])
    found = cluster_learnability(rows, 2)
    assert found == pytest.approx(3 / 5)
    assert cluster_learnability(np.zeros((4, 2))) == 3 / 4
