"""The further bounds read over a part: in chunks as in one piece, with influences, by the true critic."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.estimators.bounds import reading as readings
from mitools.estimators.bounds.alpha_tuba import alpha_tuba, read_alpha_tuba
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.bounds.flo import flo, read_flo
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.jensen_shannon import jensen_shannon, read_jensen_shannon
from mitools.estimators.bounds.nt_xent import read_nt_xent
from mitools.estimators.bounds.nwj import nwj, read_nwj
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.bounds.smile import read_smile, smile
from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.pairing.same_class import SameClassPairs

RHO, ALPHA, CLIP = 0.7, 0.3, 1.0
TRUTH = -0.5 * math.log(1 - RHO**2)


@dataclass(frozen=True)
class Oracle:
    """The true log density ratio of standard normal x and y of correlation RHO, and wrong ones.

    Attributes
    ----------
    shift, scale
        What is added to the ratio, and what it is multiplied by.
    """

    shift: float = 0.0
    scale: float = 1.0

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = x[:, :1], y[:, 0][None]
        log_ratio = (2 * RHO * x * y - RHO**2 * (x**2 + y**2)) / (2 * (1 - RHO**2)) + TRUTH
        return self.scale * log_ratio + self.shift

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        return 0.1 * x[:, 0] * (1 - self.scale)


class Asymmetric:
    """A critic for which f(x, y) is not f(y, x), with a second function that depends on both."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        mixing = torch.from_numpy(np.random.default_rng(5).normal(0, 0.5, (x.shape[1], y.shape[1])))
        return x @ mixing @ y.T

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        return 0.3 * x[:, 0] + 0.2 * y[:, 0]


Read = Callable[..., Reading]

LOWER: dict[str, Read] = {
    "nwj": read_nwj,
    "alpha_tuba": partial(read_alpha_tuba, alpha=ALPHA),
    "flo": read_flo,
}
FURTHER: dict[str, Read] = LOWER | {"smile": partial(read_smile, clip=CLIP), "js": read_jensen_shannon}
WRITTEN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "nwj": lambda scores, u: nwj(1 + scores),
    "alpha_tuba": lambda scores, u: alpha_tuba(scores, ALPHA),
    "flo": lambda scores, u: flo(scores, u - scores.diagonal()),
    "smile": lambda scores, u: smile(scores, CLIP),
    "js": lambda scores, u: jensen_shannon(scores),
}
EVERY: dict[str, Read] = FURTHER | {
    "infonce": read_infonce,
    "nt_xent": read_nt_xent,
    "dv": read_donsker_varadhan,
}


def noise(n: int, d: int) -> tuple[Tensor, Tensor]:
    x, y = (torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d))) for seed in (0, 1))
    return x, y


def gaussian(n: int, seed: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 1))
    y = RHO * x + math.sqrt(1 - RHO**2) * rng.standard_normal((n, 1))
    return torch.from_numpy(x), torch.from_numpy(y)


@pytest.mark.parametrize("name", FURTHER)
@pytest.mark.parametrize("in_memory", [1, 33, 47, 1 << 24])
def test_a_reading_in_chunks_is_the_bound_on_the_whole_matrix(
    name: str, in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = noise(11, 3)
    whole = FURTHER[name](Asymmetric(), x, y)
    monkeypatch.setattr(readings, "SCORES_IN_MEMORY", in_memory)
    reading = FURTHER[name](Asymmetric(), x, y)
    written = WRITTEN[name](Asymmetric()(x, y), Asymmetric().u(x, y))
    assert reading.nats == pytest.approx(float(written), rel=1e-12)
    assert reading.influence.mean() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(reading.influence, whole.influence, rtol=1e-10, atol=1e-12)


def jackknife(read: Read, x: Tensor, y: Tensor, diagonal_is_marginal: bool) -> NDArray[np.float64]:
    n = len(x)
    kept = [torch.from_numpy(np.delete(np.arange(n), k)) for k in range(n)]
    without = [read(Asymmetric(), x[rows], y[rows], diagonal_is_marginal).nats for rows in kept]
    return (n - 1) * (np.mean(without) - np.array(without))


@pytest.mark.parametrize("diagonal_is_marginal", [False, True])
@pytest.mark.parametrize("name", EVERY)
def test_the_influence_is_what_leaving_a_pair_out_changes(name: str, diagonal_is_marginal: bool) -> None:
    x, y = noise(100, 2)
    reading = EVERY[name](Asymmetric(), x, y, diagonal_is_marginal)
    left_out = jackknife(EVERY[name], x, y, diagonal_is_marginal)
    spread = left_out.std()
    assert np.corrcoef(reading.influence, left_out)[0, 1] > 0.995
    assert reading.influence.std() == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("name", [*LOWER, "smile"])
def test_the_true_log_ratio_reads_the_true_information(name: str) -> None:
    reads = LOWER | {"smile": partial(read_smile, clip=30.0)}
    reading = reads[name](Oracle(), *gaussian(2000, 1))
    assert abs(reading.nats - TRUTH) < 2.5 * reading.stderr
    assert 0.01 < reading.stderr < 0.04


def test_the_true_log_ratio_reads_twice_the_jensen_shannon_divergence() -> None:
    grid = torch.linspace(-7, 7, 501, dtype=torch.float64)[:, None]
    log_ratio = Oracle()(grid, grid)
    normal = torch.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    product = normal * normal.T
    joint = product * log_ratio.exp()
    middle = (1 + log_ratio.exp()).log() - math.log(2)
    step = float(grid[1] - grid[0])
    truth = float((joint * (log_ratio - middle) - product * middle).sum()) * step**2
    reading = read_jensen_shannon(Oracle(), *gaussian(2000, 1))
    assert abs(reading.nats - truth) < 2.5 * reading.stderr < 0.06
    assert abs(truth - TRUTH) > 0.05  # It is no mutual information.


@pytest.mark.parametrize("name", LOWER)
@pytest.mark.parametrize("wrong", [Oracle(shift=0.7), Oracle(shift=-0.7), Oracle(scale=0.5)])
def test_a_wrong_critic_reads_less(name: str, wrong: Oracle) -> None:
    reading = LOWER[name](wrong, *gaussian(2000, 2))
    assert reading.nats + 2 * reading.stderr < TRUTH


def test_a_clipped_reading_may_lie_above_the_truth() -> None:
    # Why SMILE is a point estimate: a critic too sure of itself, whose excess the clip hides.
    reading = read_smile(Oracle(scale=3.0), *gaussian(2000, 2), clip=0.1)
    assert reading.nats - 4 * reading.stderr > TRUTH


@pytest.mark.parametrize("name", EVERY)
def test_a_blind_critic_reads_nothing(name: str) -> None:
    class Blind(BlindCritic):
        def u(self, x: Tensor, y: Tensor) -> Tensor:
            return x.new_zeros(len(x))

    reading = EVERY[name](Blind(), *noise(20, 2))
    assert reading.nats == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(reading.influence, 0, atol=1e-12)


def test_the_diagonal_belongs_to_the_product_of_same_class_pairs() -> None:
    # 50 classes of 2 pairs each: among the pairs i != j, only 1 in 99 is of one class, not 1 in 50.
    labels = np.repeat(np.arange(50), 4)
    ix, iy = SameClassPairs(labels).within(np.arange(200)).independent(np.random.default_rng(0))
    x, y = (torch.from_numpy(labels[rows].astype(float))[:, None] for rows in (ix, iy))

    class SameClass:
        def __call__(self, x: Tensor, y: Tensor) -> Tensor:
            return torch.where(x == y.T, math.log(50), -60.0)

        def u(self, x: Tensor, y: Tensor) -> Tensor:
            return x.new_zeros(len(x))

    for read in LOWER.values():
        assert read(SameClass(), x, y, True).nats == pytest.approx(math.log(50), rel=1e-9)
        assert read(SameClass(), x, y).nats > math.log(50) + 0.05


@pytest.mark.parametrize("name", FURTHER)
def test_reading_leaves_the_critics_own_scores_alone(name: str) -> None:
    class Keeper:
        scores, second = noise(6, 6)[0], noise(6, 6)[1][0]

        def __call__(self, x: Tensor, y: Tensor) -> Tensor:
            return self.scores

        def u(self, x: Tensor, y: Tensor) -> Tensor:
            return self.second

    keeper = Keeper()
    before = keeper.scores.clone(), keeper.second.clone()
    zero = torch.zeros(6, 1, dtype=torch.float64)
    FURTHER[name](keeper, zero, zero)
    torch.testing.assert_close((keeper.scores, keeper.second), before, rtol=0, atol=0)


@pytest.mark.parametrize("name", FURTHER)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_not_finite_are_an_error(name: str, bad: float) -> None:
    class Broken(BlindCritic):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return torch.full((len(x), len(y)), bad)

    with pytest.raises(InputError, match="scores are not finite"):
        FURTHER[name](Broken(), *noise(6, 1))


def test_the_readings_by_name_are_these() -> None:
    x, y = gaussian(300, 3)
    for name, reading in {
        "nwj": read_nwj(Oracle(), x, y),
        "tuba": read_nwj(Oracle(), x, y),
        "js": read_nwj(Oracle(), x, y),
        "flo": read_flo(Oracle(), x, y),
        "deep_infomax": read_jensen_shannon(Oracle(), x, y),
        "smile": read_smile(Oracle(), x, y, clip=VARIATIONAL_METHODS["smile"].record["clip"]),
        "alpha_tuba": read_alpha_tuba(
            Oracle(), x, y, alpha=VARIATIONAL_METHODS["alpha_tuba"].record["alpha"]
        ),
    }.items():
        assert VARIATIONAL_METHODS[name].read(Oracle(), x, y, False).nats == reading.nats
