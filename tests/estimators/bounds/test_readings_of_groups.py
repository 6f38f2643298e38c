"""Pairs of one group depend on each other: no bound takes them as a sample of the marginals' product."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.estimators.bounds import reading as readings
from mitools.estimators.bounds.alpha_tuba import read_alpha_tuba
from mitools.estimators.bounds.club import read_club, read_club_sampled
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.bounds.flo import read_flo
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.jensen_shannon import read_jensen_shannon
from mitools.estimators.bounds.leave_one_out import read_leave_one_out
from mitools.estimators.bounds.nt_xent import read_nt_xent
from mitools.estimators.bounds.nwj import read_nwj
from mitools.estimators.bounds.reading import Reading, next_stranger
from mitools.estimators.bounds.smile import read_smile

READ: dict[str, Callable[..., Reading]] = {
    "infonce": read_infonce,
    "nt_xent": read_nt_xent,
    "dv": read_donsker_varadhan,
    "nwj": read_nwj,
    "alpha_tuba": partial(read_alpha_tuba, alpha=0.5),
    "flo": read_flo,
    "smile": partial(read_smile, clip=5.0),
    "js": read_jensen_shannon,
    "club": read_club,
    "leave_one_out": read_leave_one_out,
    "club_sampled": read_club_sampled,
}


class Sample(NamedTuple):
    """Rows whose first two columns are their group and their own number."""

    x: Tensor
    y: Tensor
    groups: Tensor

    def at(self, rows: np.ndarray) -> "Sample":
        return Sample(*(side[torch.from_numpy(rows)] for side in self))


class Critic:
    """Scores that tell kin: how much more a pair of one group scores where it is not of one row."""

    def __init__(self, kin: float = 0.0) -> None:
        self.kin = kin

    def _score(self, x: Tensor, y: Tensor) -> Tensor:
        mixing = torch.from_numpy(np.random.default_rng(5).normal(0, 0.5, (2, 2)))
        of_kin = (x[..., 0] == y[..., 0]) & (x[..., 1] != y[..., 1])
        return ((x[..., 2:] @ mixing) * y[..., 2:]).sum(dim=-1) + self.kin * of_kin

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        return self._score(x[:, None], y[None])

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        return self._score(x, y)

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        return 0.3 * x[:, 2] + 0.2 * y[:, 2]


def sample(n_groups: int, most: int, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(n_groups), rng.integers(1, most + 1, n_groups)))
    x, y = (np.c_[group, np.arange(len(group)), rng.normal(size=(len(group), 2))] for _ in range(2))
    return Sample(torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(group))


@pytest.mark.parametrize("name", READ)
def test_scores_within_a_group_do_not_count(name: str) -> None:
    pairs = sample(20, 6)
    one, other = (READ[name](Critic(kin), pairs.x, pairs.y, False, pairs.groups) for kin in (0.0, 4.0))
    assert other.nats == pytest.approx(one.nats, abs=1e-12)
    np.testing.assert_allclose(other.influence, one.influence, atol=1e-12)
    if name != "club_sampled":  # whose few partners are seldom of one group
        alone, lower = (READ[name](Critic(kin), pairs.x, pairs.y) for kin in (0.0, 4.0))
        assert lower.nats < alone.nats - 0.1


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("in_memory", [1, 200])
def test_chunks_and_groups_of_one(name: str, in_memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = sample(20, 6)
    whole = READ[name](Critic(), pairs.x, pairs.y, False, pairs.groups)
    alone = READ[name](Critic(), pairs.x, pairs.y)
    monkeypatch.setattr(readings, "SCORES_IN_MEMORY", in_memory)
    parts = READ[name](Critic(), pairs.x, pairs.y, False, pairs.groups)
    assert parts.nats == pytest.approx(whole.nats, rel=1e-12)
    np.testing.assert_allclose(parts.influence, whole.influence, rtol=1e-9, atol=1e-12)
    single = READ[name](Critic(), pairs.x, pairs.y, False, torch.arange(len(pairs.x)))
    assert single.nats == pytest.approx(alone.nats, rel=1e-12)
    if name == "alpha_tuba":  # whose influence takes n - 1 partners for n where there are no groups
        assert np.corrcoef(single.influence, alone.influence)[0, 1] > 0.999
        assert single.stderr == pytest.approx(alone.stderr, rel=0.02)
    else:
        np.testing.assert_allclose(single.influence, alone.influence, rtol=1e-9, atol=1e-12)


def test_values_as_they_are_written() -> None:
    """Means over the pairs of strangers, written out."""
    pairs = sample(12, 5)
    scores = Critic()(pairs.x, pairs.y).numpy()
    of_other = (pairs.groups[:, None] != pairs.groups).numpy()
    joint, product = scores.diagonal(), scores[of_other]
    n, others = len(scores), of_other.sum(axis=1)

    def read(name: str) -> float:
        return READ[name](Critic(), pairs.x, pairs.y, False, pairs.groups).nats

    assert read("dv") == pytest.approx(joint.mean() - np.log(np.exp(product).mean()))
    assert read("nwj") == pytest.approx(1 + joint.mean() - np.exp(product).mean())
    assert read("club") == pytest.approx(joint.mean() - product.mean())
    clipped = np.exp(product.clip(-5, 5)).mean()
    assert read("smile") == pytest.approx(joint.mean() - np.log(clipped))
    softplus = np.log1p(np.exp(-joint)).mean() + np.log1p(np.exp(product)).mean()
    assert read("js") == pytest.approx(2 * math.log(2) - softplus)
    marginal = np.where(of_other, np.exp(scores), 0).sum(axis=0) / others
    assert read("leave_one_out") == pytest.approx((joint - np.log(marginal)).mean())
    in_batch = np.where(of_other | np.eye(n, dtype=bool), np.exp(scores), 0).sum(axis=1) / (others + 1)
    assert read("infonce") == pytest.approx((joint - np.log(in_batch)).mean())


@pytest.mark.parametrize("name", [name for name in READ if name != "club_sampled"])
def test_the_influence_of_a_group_is_what_leaving_it_out_changes(name: str) -> None:
    pairs = sample(50, 8, seed=1)
    of = pairs.groups.numpy()

    def read(some: Sample) -> Reading:
        return READ[name](Critic(), some.x, some.y, False, some.groups)

    reading = read(pairs)
    without = np.array([read(pairs.at(np.flatnonzero(of != group))).nats for group in range(50)])
    share = np.bincount(of) / len(of)
    left_out = (reading.nats - without) * (1 - share)  # first order: what the group itself pulls by
    pulled = np.bincount(of, reading.influence) / len(of)
    assert np.corrcoef(pulled, left_out)[0, 1] > 0.99
    assert pulled.std() == pytest.approx(left_out.std(), rel=0.1)
    assert reading.by_group(of).stderr == pytest.approx(
        float(np.sqrt(50 / 49) * np.linalg.norm(pulled)), rel=1e-6
    )


def test_the_next_stranger_is_of_another_group() -> None:
    groups = torch.tensor([2, 0, 0, 1, 1, 1, 2, 2])
    assert next_stranger(groups).tolist() == [1, 3, 3, 6, 6, 6, 1, 1]


@pytest.mark.parametrize("name", [name for name in READ if name not in ("club_sampled", "alpha_tuba")])
def test_one_group_has_no_strangers(name: str) -> None:
    pairs = sample(1, 9)
    with pytest.raises(InputError, match="of one group"):
        READ[name](Critic(), pairs.x, pairs.y, False, pairs.groups)
