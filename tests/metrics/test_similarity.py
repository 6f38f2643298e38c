"""Similarities of encoders: what leaves them alone, what chance gives, and their formulas."""

import numpy as np
import pytest

from mitools.comparing.encoder_set import EncoderSet
from mitools.comparing.similarity import SIMILARITIES, similarity, similarity_matrix
from mitools.core.errors import InputError
from mitools.metrics.similarity.cka import linear_cka, rbf_cka
from mitools.metrics.similarity.mutual_neighbours import mutual_neighbours
from mitools.metrics.similarity.procrustes import procrustes
from mitools.metrics.similarity.svcca import svcca
from mitools.statistics.halves import interval_of_halves, random_halves

RNG = np.random.default_rng(0)
X, Z = RNG.standard_normal((2, 80, 4))
TURN = np.linalg.qr(RNG.standard_normal((4, 4)))[0]


def hsic(k: np.ndarray, m: np.ndarray) -> float:
    """Song et al. 2012, Eq. 5, as it is printed."""
    k, m = k.copy(), m.copy()
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    n, one = len(k), np.ones(len(k))
    trace = np.trace(k @ m)
    return float(
        trace + one @ k @ one * (one @ m @ one) / (n - 1) / (n - 2) - 2 / (n - 2) * one @ k @ m @ one
    )


def cka(k: np.ndarray, m: np.ndarray) -> float:
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def gaussian(x: np.ndarray) -> np.ndarray:
    squares = ((x[:, None] - x) ** 2).sum(axis=2)
    return np.exp(-squares / (2 * np.median(squares[np.triu_indices(len(x), 1)])))


def test_cka_is_its_formula_without_a_kernel_matrix() -> None:
    y = X @ RNG.standard_normal((4, 3)) + Z[:, :3] + 2
    assert linear_cka(X + 5, y) == pytest.approx(cka((X + 5) @ (X + 5).T, y @ y.T))
    assert rbf_cka(X, y) == pytest.approx(cka(gaussian(X), gaussian(y)))


@pytest.mark.parametrize("name", SIMILARITIES)
def test_a_turned_and_scaled_encoder_is_the_same_encoder(name: str) -> None:
    assert SIMILARITIES[name](X, 3 * X @ TURN) == pytest.approx(1)


def test_cka_of_random_collapsed_and_perfect_features() -> None:
    labels = np.arange(80) % 4
    perfect = np.eye(4)[labels]
    for measure in (linear_cka, rbf_cka):
        wide = [measure(*RNG.standard_normal((2, 80, 500))) for _ in range(5)]
        assert abs(np.mean(wide)) < 0.03, "the biased estimate would be near 1 here"
        assert measure(X, np.ones((80, 2))) == 0
        assert measure(perfect, perfect[:, ::-1] @ TURN) == pytest.approx(1)
        assert 0.5 < measure(perfect, perfect + 0.1 * X) < 1.001


def test_svcca_finds_directions_that_are_shared_whatever_their_mixture() -> None:
    mixed = X @ (np.eye(4) + 0.5 * RNG.standard_normal((4, 4)))
    assert svcca(X, mixed) == pytest.approx(1)
    assert procrustes(X, mixed) < 0.99
    shared = np.hstack([X[:, :2], Z[:, 2:]])
    correlations = np.linalg.svd(np.linalg.qr(X - X.mean(0))[0].T @ np.linalg.qr(shared - shared.mean(0))[0])[
        1
    ]
    assert svcca(X, shared) == pytest.approx(correlations.mean())
    assert svcca(X, np.ones((80, 2))) == 0


def test_procrustes_is_the_distance_after_the_best_rotation() -> None:
    from scipy.spatial import procrustes as scipys

    disparity = scipys(X, X + 0.5 * Z)[2]  # with the best scale: 1 - similarity^2
    assert procrustes(X, X + 0.5 * Z) == pytest.approx(np.sqrt(1 - disparity))


def test_neighbours_in_common_are_counted_and_chance_gives_k_of_n() -> None:
    line = np.stack([np.cos(np.linspace(0, 1, 6)), np.sin(np.linspace(0, 1, 6))], axis=1)
    swapped = line[[1, 0, 2, 3, 5, 4]]
    ours, theirs = (np.argsort(-(x @ x.T) + 9 * np.eye(6), axis=1)[:, :2] for x in (line, swapped))
    expected = np.mean([len(set(a) & set(b)) / 2 for a, b in zip(ours, theirs, strict=True)])
    assert mutual_neighbours(line, swapped, 2) == pytest.approx(expected)
    many = RNG.standard_normal((2, 500, 4))
    assert mutual_neighbours(*many) == pytest.approx(10 / 499, abs=0.01)


def test_mutual_neighbours_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mutual_neighbours(X, X + 0.3 * Z, 5)
    monkeypatch.setattr("mitools.estimators.inputs.row_table.NUMBERS_AT_ONCE", 7 * len(X))
    assert mutual_neighbours(X, X + 0.3 * Z, 5) == whole
    assert 0.2 < whole < 0.95


def test_a_half_has_the_standard_error_of_a_sample() -> None:
    values = RNG.standard_normal(400)
    halves = random_halves(400, 400, seed=0)
    means = np.array([values[half].mean() for half in halves])
    low, high, _ = interval_of_halves(values.mean(), means)
    assert (high - low) / 3.92 == pytest.approx(values.std(ddof=1) / 20, rel=0.1)
    groups = np.repeat(np.arange(100), 4)
    for half in random_halves(400, 6, seed=1, groups=groups):
        assert len(half) == 200
        assert (np.bincount(groups[half], minlength=100) % 4 == 0).all()
    with pytest.raises(InputError, match="3 groups cannot be halved"):
        random_halves(9, 2, 0, np.arange(9) % 3)


def test_intervals_hold_the_similarity_of_many_items() -> None:
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((6, 6))

    def drawn(n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.standard_normal((n, 6))
        return x, x @ mix + 2 * rng.standard_normal((n, 6))

    truth = linear_cka(*drawn(200_000))
    held = 0
    for seed in range(40):
        x, y = drawn(200)
        table = similarity(EncoderSet.of_arrays({"x": x, "y": y}, np.arange(200) % 2), seed=seed)
        held += table["low"][0] <= truth <= table["high"][0]
    assert held >= 35


def test_what_is_high_by_chance_is_told_beside_the_value() -> None:
    few, many = (RNG.standard_normal((2, 100, columns)) for columns in (60, 2))
    tables = [
        similarity(EncoderSet.of_arrays({"x": x, "y": y}, np.arange(100) % 2), ["svcca"], halves=2)
        for x, y in (few, many, (many[0], many[0] @ TURN[:2, :2]))
    ]
    values = [table[["value", "by_chance"]].iloc[0].tolist() for table in tables]
    assert 0.6 < values[0][0] == pytest.approx(values[0][1], abs=0.05), "nothing but chance"
    assert max(values[1]) < 0.3
    assert values[2][0] == pytest.approx(1)
    assert values[2][1] < 0.3


def test_the_matrix_is_symmetric_and_unknown_kinds_are_named() -> None:
    encoders = EncoderSet.of_arrays({"x": X, "z": Z, "turned": X @ TURN}, np.arange(80) % 2)
    table = similarity(encoders, ["linear_cka", "procrustes"])
    matrix = similarity_matrix(table, "procrustes")
    assert matrix.equals(matrix.T)
    assert matrix.loc["x", "turned"] == pytest.approx(1)
    assert (np.diag(matrix) == 1).all()
    with pytest.raises(InputError, match=r"unknown similarity 'cka'; accepted: linear_cka"):
        similarity(encoders, ["cka"])
    with pytest.raises(InputError, match="too few to compare"):
        linear_cka(X[:3], Z[:3])
    with pytest.raises(InputError, match="x has 80 items and y has 79"):
        rbf_cka(X, Z[1:])
    with pytest.raises(InputError, match="no 10 neighbours"):
        mutual_neighbours(X[:10], Z[:10])
