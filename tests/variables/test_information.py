"""Every equation against a value written out in loops on four samples; planted variables are exact."""

import math
from itertools import combinations, product

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.variables.distributions import (
    JointTable,
    SubsetTables,
    cross_joint,
    joint,
    marginals,
    one_hot,
    some_subsets,
)
from mitools.variables.information import mean_entropy, pairwise_information, total_correlation
from mitools.variables.soft import soft_variables

N, M, D = 4, 3, 2
RNG = np.random.default_rng(0)
LOGITS, OTHERS = RNG.normal(size=(2, N, M * D))


def soft(logits: np.ndarray) -> np.ndarray:
    return soft_variables(torch.from_numpy(logits), D).numpy()


Q, R = soft(LOGITS), soft(OTHERS)
ITEMS = range(N)


def written_joint(*variables: int) -> dict[tuple[int, ...], float]:
    """Equation 3."""
    return {
        values: sum(math.prod(Q[i, m, d] for m, d in zip(variables, values, strict=True)) for i in ITEMS) / N
        for values in product(range(D), repeat=len(variables))
    }


def written_entropy(*variables: int) -> float:
    """Equation 6."""
    return -sum(p * math.log(p) for p in written_joint(*variables).values())


def test_equation_1() -> None:
    for i in ITEMS:
        for m in range(M):
            group = LOGITS[i, m * D : (m + 1) * D]
            for d in range(D):
                expected = math.exp(group[d]) / sum(math.exp(z) for z in group)
                assert Q[i, m, d] == pytest.approx(expected, rel=1e-12)


def test_equation_2() -> None:
    for m in range(M):
        for d in range(D):
            assert marginals(Q)[m, d] == pytest.approx(sum(Q[i, m, d] for i in ITEMS) / N, rel=1e-12)


@pytest.mark.parametrize("variables", [(1,), (2, 0), (0, 1, 2)])
def test_equation_3(variables: tuple[int, ...]) -> None:
    found = joint(Q, variables)
    for values, expected in written_joint(*variables).items():
        assert found[values] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_equations_5_to_7(size: int) -> None:
    entropies = [written_entropy(*subset) for subset in combinations(range(M), size)]
    assert mean_entropy(Q, size) == pytest.approx(sum(entropies) / math.comb(M, size), rel=1e-12)


@pytest.mark.parametrize("size", [2, 3])
def test_equation_8(size: int) -> None:
    assert total_correlation(Q, size) == pytest.approx(size * mean_entropy(Q) - mean_entropy(Q, size))
    if size == 3:
        alone = sum(written_entropy(m) for m in range(M))
        assert total_correlation(Q, 3) == pytest.approx(alone - written_entropy(0, 1, 2), rel=1e-10)


def test_equation_10() -> None:
    found = cross_joint(Q, R)
    for a, d, b, e in product(range(M), range(D), range(M), range(D)):
        expected = sum(Q[i, a, d] * R[i, b, e] for i in ITEMS) / N
        assert found[a, d, b, e] == pytest.approx(expected, rel=1e-12)


def test_information_of_pairs_is_that_of_their_joint() -> None:
    found = pairwise_information(JointTable.of(Q))
    for a, b in combinations(range(M), 2):
        expected = written_entropy(a) + written_entropy(b) - written_entropy(a, b)
        assert found[a, b] == found[b, a] == pytest.approx(expected, abs=1e-12)


EVERY = np.array(list(product(range(2), repeat=3)))
PLANTED = {
    "independent": EVERY,
    "copied": EVERY[:, [0, 0, 0]],
    "xor": np.column_stack([EVERY[:, :2], EVERY[:, 0] ^ EVERY[:, 1]]),
}


@pytest.mark.parametrize(("name", "pair", "three"), [("independent", 0, 0), ("copied", 1, 2), ("xor", 0, 1)])
def test_planted_variables_are_exact(name: str, pair: float, three: float) -> None:
    q = one_hot(PLANTED[name], 2)
    information = pairwise_information(JointTable.of(q)) / np.log(2)
    assert information[~np.eye(3, dtype=bool)] == pytest.approx(np.full(6, pair), abs=1e-12)
    assert np.diag(information) == pytest.approx(np.ones(3))
    assert total_correlation(q, 3) / np.log(2) == pytest.approx(three, abs=1e-12)
    assert mean_entropy(q) / np.log(2) == pytest.approx(1)


def test_chunks_are_one_pass() -> None:
    logits = np.random.default_rng(1).normal(size=(2, 1000, 5 * 4))
    q, r = (soft_variables(torch.from_numpy(view), 4).numpy() for view in logits)
    subsets = some_subsets(5, 3, most=6)
    table, tables = JointTable(5, 4), SubsetTables(subsets, 4)
    for some in np.array_split(np.random.default_rng(2).permutation(1000), 7):
        table.add(q[some], r[some])
        tables.add(q[some])
    whole = JointTable.of(q, r)
    np.testing.assert_allclose(table.joint, whole.joint, atol=1e-9, rtol=0)
    np.testing.assert_allclose(table.marginals, marginals(q), atol=1e-9, rtol=0)
    np.testing.assert_allclose(table.other_marginals, marginals(r), atol=1e-9, rtol=0)
    np.testing.assert_allclose(table.variances, q.var(axis=0), atol=1e-9, rtol=0)
    for found, subset in zip(tables.joints, subsets, strict=True):
        np.testing.assert_allclose(found, joint(q, tuple(subset)), atol=1e-9, rtol=0)


def test_subsets_are_all_or_so_many_without_repetition() -> None:
    assert len(some_subsets(6, 3, most=20)) == 20 == math.comb(6, 3)
    drawn = some_subsets(30, 3, most=50, seed=1)
    assert len({tuple(row) for row in drawn.tolist()}) == 50
    assert (np.diff(drawn, axis=1) > 0).all()
    with pytest.raises(InputError, match="no subsets of 4 of 3 variables"):
        some_subsets(3, 4, most=5)
