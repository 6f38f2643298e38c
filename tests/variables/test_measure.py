"""Readings of variables: corrected for chance, and with intervals that hold the truth."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from mitools.core.errors import InputError
from mitools.variables.discretise import Clusters, OwnVariables, fit_bins, fit_clusters
from mitools.variables.distributions import one_hot
from mitools.variables.measure import VariableReading, measure_variables


class Codes:
    """Variables that are their rows."""

    what, balanced = "codes", False

    def __init__(self, variables: int, units: int) -> None:
        self.variables, self.units = variables, units

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return one_hot(rows, self.units)


def bits(codes: np.ndarray, units: int = 2, **options: object) -> VariableReading:
    return measure_variables(codes, Codes(codes.shape[1], units), **options)


def xor(n: int, seed: int) -> np.ndarray:
    a, b = np.random.default_rng(seed).integers(0, 2, (2, n))
    return np.column_stack([a, b, a ^ b])


def test_xor_has_no_pair_and_one_bit_of_three() -> None:
    found = bits(xor(4000, 0))
    low, high, _ = found.redundancy.interval_bits
    assert low < 0 < high
    assert found.total_correlation.bits == pytest.approx(1, abs=0.01)
    assert found.total_correlation.ceiling_bits == pytest.approx(2)
    assert found.units_used == 2
    assert found.one_hot_shares == (1.0, 1.0)


def noisy_copy(n: int, seed: int, flipped: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, n)
    return np.column_stack([a, a ^ (rng.random(n) < flipped), rng.integers(0, 2, n)])


def share_of(p: float) -> float:
    """Entropy of a coin, in bits."""
    return float(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


@pytest.mark.parametrize("flipped", [0.5, 0.2])
def test_intervals_hold_the_truth(flipped: float) -> None:
    """Of independent variables (where they are too wide) and of dependent ones: at least 88 of 100 do."""
    pair = 0.0 if flipped == 0.5 else 1 - share_of(flipped)
    held = {"redundancy": 0, "total_correlation": 0}
    for seed in range(100):
        found = bits(noisy_copy(300, seed, flipped))
        for name, truth in (("redundancy", pair / 3), ("total_correlation", pair)):
            low, high, _ = getattr(found, name).interval_bits
            held[name] += low <= truth <= high
    assert min(held.values()) >= 88, held


def test_what_chance_gives_is_taken_off() -> None:
    codes = np.random.default_rng(0).integers(0, 8, (1000, 12))
    found = bits(codes, 8)
    plain = found.pairwise_nats[~np.eye(12, dtype=bool)].mean()
    assert plain == pytest.approx(49 / 2000, rel=0.1)  # (D - 1)^2 / 2n
    assert found.redundancy.null_nats == pytest.approx(49 / 2000, rel=0.1)
    assert abs(found.redundancy.nats) < 0.02 * plain + 3 * found.redundancy.stderr_nats


def test_the_entropy_of_a_small_sample_is_raised() -> None:
    """Miller's (D - 1) / 2n for hard variables, of the mean over samples of 40 items."""
    found = [bits(np.random.default_rng(seed).integers(0, 4, (40, 6)), 4) for seed in range(20)]
    assert np.mean([one.entropy.bits for one in found]) == pytest.approx(2, abs=0.01)
    plain = [-(one.marginals * np.log2(one.marginals)).sum(axis=1).mean() for one in found]
    assert np.mean(plain) < 1.96


def test_items_of_a_group_are_not_evidence_of_their_own() -> None:
    """Every item ten times: by itself each copy counts, in groups chance takes the copies off."""
    codes = np.random.default_rng(0).integers(0, 4, (100, 8)).repeat(10, axis=0)
    groups = np.arange(100).repeat(10)
    alone, grouped = bits(codes, 4), bits(codes, 4, groups=groups)
    assert alone.redundancy.interval_bits.low > 0
    low, high, _ = grouped.redundancy.interval_bits
    assert low < 0 < high
    assert grouped.redundancy.stderr_nats > 2 * alone.redundancy.stderr_nats


@pytest.mark.parametrize(("n", "warned"), [(60, True), (70, False)])
def test_fewer_items_than_joint_values_are_told(n: int, warned: bool) -> None:
    codes = np.random.default_rng(0).integers(0, 4, (n, 4))
    found = bits(codes, 4)
    words = [warning.word for warning in found.total_correlation.warnings]
    assert words == (["undersampled"] if warned else [])
    assert found.redundancy.warnings == ()


def test_chunks_and_the_order_of_the_data_change_nothing_but_permutations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes = xor(3000, 1)
    whole = bits(codes)
    monkeypatch.setattr("mitools.variables.measure.NUMBERS_AT_ONCE", 6 * 256)
    chunks = bits(codes)
    assert chunks.pairwise_nats == pytest.approx(whole.pairwise_nats, abs=1e-12)
    assert chunks.redundancy.stderr_nats == pytest.approx(whole.redundancy.stderr_nats, rel=1e-9)
    assert chunks.redundancy.nats == pytest.approx(whole.redundancy.nats, abs=1e-3)


@pytest.mark.parametrize(
    ("codes", "said"),
    [
        (np.zeros((9, 1), dtype=int), "1 variables of 9 items: dependence needs two variables"),
        (np.zeros((1, 3), dtype=int), "3 variables of 1 items"),
    ],
)
def test_too_little_is_one_line(codes: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        bits(codes)


def test_bins_hold_equally_many_and_keep_equal_values_together() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(size=800), np.maximum(rng.normal(size=800), 0), np.ones(800)])
    found = fit_bins(rows)
    assert found.columns.tolist() == [0, 1]
    q = found(rows)
    assert q[:, 0].sum(axis=0).tolist() == [100] * 8
    zeros = int((rows[:, 1] == 0).sum())
    assert q[:, 1].sum(axis=0)[0] == zeros, "equal values have a bin of their own"
    assert measure_variables(rows, found).units_used < 8
    twice = rows[:, :1].repeat(2, axis=1)
    assert measure_variables(twice, fit_bins(twice)).entropy.bits == pytest.approx(3)


@pytest.mark.parametrize("fit", [fit_bins, fit_clusters])
def test_more_columns_than_needed_are_drawn(fit: Callable[..., Clusters]) -> None:
    rows = np.random.default_rng(0).normal(size=(200, 40)).astype(np.float16)
    found = fit(rows, most=2)
    assert found.variables == 2
    q = found(rows)
    assert q.shape == (200, 2, 8)
    assert (q.sum(axis=2) == 1).all()


def test_clusters_are_nearest_centres() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, (300, 2))
    rows = 10 * np.eye(3)[values].reshape(300, 6) + rng.normal(size=(300, 6))
    found = fit_clusters(rows, group=3, units=3)
    some = rows[:, found.groups]  # (n, M, g)
    distances = np.square(some[:, :, None] - found.centres).sum(axis=3)
    assert (found(rows).argmax(axis=2) == distances.argmin(axis=2)).all()


def test_a_head_of_its_own_gives_soft_variables() -> None:
    head = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6)).train()
    rows = np.random.default_rng(0).normal(size=(50, 5))
    q = OwnVariables(head, 3, 2)(rows)
    with torch.no_grad():
        expected = head.eval()(torch.from_numpy(rows).float()).reshape(50, 3, 2).softmax(dim=2)
    assert q == pytest.approx(expected.numpy(), abs=1e-6)
    found = measure_variables(rows, OwnVariables(head, 3, 2))
    assert found.one_hot_shares[0] == (q.max(axis=2) > 0.9).mean()


def test_columns_that_do_not_vary_are_told() -> None:
    with pytest.raises(InputError, match="1 columns vary, but dependence is between two"):
        fit_bins(np.column_stack([np.arange(9.0), np.ones(9)]))
    with pytest.raises(InputError, match="make no two groups of 8 columns"):
        fit_clusters(np.random.default_rng(0).normal(size=(50, 9)))
