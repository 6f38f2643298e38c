"""A bound read in chunks is the bound on the whole matrix, and its standard error is the true one."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.estimators.bounds import reading as readings
from mitools.estimators.bounds.donsker_varadhan import donsker_varadhan, read_donsker_varadhan
from mitools.estimators.bounds.infonce import infonce, read_infonce
from mitools.estimators.bounds.nt_xent import nt_xent, read_nt_xent
from mitools.estimators.bounds.reading import Critic, Reading
from mitools.pairing.same_class import SameClassPairs

Read = Callable[[Critic, Tensor, Tensor], Reading]

RHO = 0.7


def asymmetric(x: Tensor, y: Tensor) -> Tensor:
    """A critic for which f(x, y) is not f(y, x)."""
    mixing = torch.from_numpy(np.random.default_rng(5).normal(size=(x.shape[1], y.shape[1])))
    return x @ mixing @ y.T


def log_ratio(x: Tensor, y: Tensor) -> Tensor:
    """The true log density ratio of standard normal variables with correlation RHO."""
    x, y = x[:, :1], y[:, 0][None]
    return (2 * RHO * x * y - RHO**2 * (x**2 + y**2)) / (2 * (1 - RHO**2)) - 0.5 * math.log(1 - RHO**2)


def written_infonce(x: Tensor, y: Tensor) -> Tensor:
    return infonce(asymmetric(x, y))


def written_nt_xent(x: Tensor, y: Tensor) -> Tensor:
    return nt_xent(asymmetric(x, y), asymmetric(x, x), asymmetric(y, y))


def written_donsker_varadhan(x: Tensor, y: Tensor) -> Tensor:
    return donsker_varadhan(asymmetric(x, y))


@pytest.mark.parametrize("in_memory", [1, 33, 47, 1 << 24])
@pytest.mark.parametrize(
    ("read", "written"),
    [
        (read_infonce, written_infonce),
        (read_nt_xent, written_nt_xent),
        (read_donsker_varadhan, written_donsker_varadhan),
    ],
)
def test_a_reading_in_chunks_is_the_bound_on_the_whole_matrix(
    read: Read, written: Callable[[Tensor, Tensor], Tensor], in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "SCORES_IN_MEMORY", in_memory)
    x, y = (torch.from_numpy(np.random.default_rng(seed).normal(size=(11, 3))) for seed in (0, 1))
    reading = read(asymmetric, x, y)
    assert reading.nats == pytest.approx(float(written(x, y)), rel=1e-12)
    assert reading.influence.shape == (11,)
    assert reading.influence.mean() == pytest.approx(0, abs=1e-12)


def test_the_influence_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = (torch.from_numpy(np.random.default_rng(seed).normal(size=(11, 3))) for seed in (0, 1))
    for read in (read_infonce, read_nt_xent, read_donsker_varadhan):
        monkeypatch.setattr(readings, "SCORES_IN_MEMORY", 1 << 24)
        whole = read(asymmetric, x, y)
        monkeypatch.setattr(readings, "SCORES_IN_MEMORY", 33)
        np.testing.assert_allclose(read(asymmetric, x, y).influence, whole.influence, rtol=1e-10)


@pytest.mark.parametrize("read", [read_infonce, read_nt_xent, read_donsker_varadhan])
def test_the_standard_error_is_the_spread_over_repeated_samples(read: Read) -> None:
    rng = np.random.default_rng(0)
    values, variances = [], []
    for _ in range(400):
        x = rng.standard_normal(400)
        y = RHO * x + math.sqrt(1 - RHO**2) * rng.standard_normal(400)
        reading = read(log_ratio, torch.from_numpy(x)[:, None], torch.from_numpy(y)[:, None])
        values.append(reading.nats)
        variances.append(reading.stderr**2)
    assert np.mean(variances) / np.var(values) == pytest.approx(1, abs=0.2)


def test_the_true_log_ratio_reads_the_true_information() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(5000)
    y = RHO * x + math.sqrt(1 - RHO**2) * rng.standard_normal(5000)
    pair = torch.from_numpy(x)[:, None], torch.from_numpy(y)[:, None]
    truth = -0.5 * math.log(1 - RHO**2)
    for read in (read_infonce, read_donsker_varadhan):
        reading = read(log_ratio, *pair)
        assert abs(reading.nats - truth) < 2.5 * reading.stderr
        assert 0.005 < reading.stderr < 0.02


def test_the_diagonal_belongs_to_the_product_of_same_class_pairs() -> None:
    # 50 classes of 2 pairs each: among the pairs i != j, only 1 in 99 is of one class, not 1 in 50.
    labels = np.repeat(np.arange(50), 4)
    ix, iy = SameClassPairs(labels).within(np.arange(200)).independent(np.random.default_rng(0))
    x, y = (torch.from_numpy(labels[rows].astype(float))[:, None] for rows in (ix, iy))

    def oracle(x: Tensor, y: Tensor) -> Tensor:
        return torch.where(x == y.T, math.log(50), -1e4)

    assert read_donsker_varadhan(oracle, x, y, True).nats == pytest.approx(math.log(50), rel=1e-12)
    assert read_donsker_varadhan(oracle, x, y).nats == pytest.approx(math.log(99), rel=1e-12)
    assert read_infonce(oracle, x, y).nats == pytest.approx(math.log(50), rel=1e-12)


@pytest.mark.parametrize("read", [read_infonce, read_nt_xent, read_donsker_varadhan])
def test_reading_leaves_the_critics_own_scores_alone(read: Read) -> None:
    kept = torch.from_numpy(np.random.default_rng(0).normal(size=(6, 6)))
    before = kept.clone()
    x = torch.zeros(6, 1, dtype=torch.float64)
    read(lambda x, y: kept, x, x)
    torch.testing.assert_close(kept, before, rtol=0, atol=0)


@pytest.mark.parametrize("read", [read_infonce, read_nt_xent, read_donsker_varadhan])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_not_finite_are_an_error(read: Read, bad: float) -> None:
    x = torch.zeros(6, 1)
    with pytest.raises(InputError, match="scores are not finite"):
        read(lambda x, y: torch.full((len(x), len(y)), bad), x, x)


def test_a_critic_that_still_learns_can_be_read() -> None:
    critic = torch.nn.Bilinear(2, 2, 1)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    reading = read_infonce(lambda x, y: x @ critic.weight[0] @ y.T, x, x)
    assert math.isfinite(reading.nats)
