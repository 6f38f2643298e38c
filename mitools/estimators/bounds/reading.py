"""A bound read once over a whole part: in chunks, with the influence of every pair on the value."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.inputs.groups import Groups, group_sums
from mitools.estimators.warnings import SINGLE_PRECISION_NATS

SCORES_IN_MEMORY = 1 << 24
"""Scores held at a time: 64 MiB of float32."""

SCORES_NEAR, MANY_PAIRS = 1 << 20, 8192
"""Scores held at a time of more pairs than that on a CPU: they stay near it, in a third of the time."""

FEWEST_ROWS_OF_PIECE = 32
"""Rows of a piece that is cut small for that: with fewer, a critic's calls cost more than is gained."""


Critic = Callable[[Tensor, Tensor], Tensor]


class Reading(NamedTuple):
    """A bound's value on n pairs.

    Attributes
    ----------
    nats
        The value.
    influence
        Shape (n,), mean 0, in nats: how much pair i pulls the value, times n. The estimate's variance is
        ``sum(influence**2) / n**2``, whatever pairs share negatives. After :meth:`by_group`, shape (G,): of
        groups of pairs.
    unseen
        A further standard error, in nats, for what the n pairs cannot show.
    normaliser_rows
        Where a mean of ``exp f`` over the product normalises the bound: how many rows make it up (Kish's
        effective number); infinite where none does.
    """

    nats: float
    influence: NDArray[np.float64]
    unseen: float = SINGLE_PRECISION_NATS
    normaliser_rows: float = math.inf

    @property
    def stderr(self) -> float:
        """Standard error in nats."""
        return float(np.hypot(np.linalg.norm(self.influence) / len(self.influence), self.unseen))

    def by_group(self, groups: Groups | None) -> Self:
        """Give the influence of whole groups, which are independent where their items are not.

        Parameters
        ----------
        groups
            Shape (n,), the group of every pair; None where every pair stands alone.

        Returns
        -------
        Reading
            Of the same value; influence of shape (G,), scaled so that its standard error is that of groups
            (a sandwich estimator: Liang & Zeger 1986).
        """
        if groups is None:
            return self
        n, sums = len(self.influence), group_sums(self.influence, groups)
        size = len(sums)
        if size < 2:
            raise InputError("all reported pairs are of one group, and one group shows no error; add groups")
        return self._replace(influence=sums * size / n * math.sqrt(size / (size - 1)))

    @classmethod
    def of(cls, estimate: Estimate, influence: NDArray[np.float64]) -> Self:
        """Read an estimate back: what its standard error holds beside the influence is what was not seen."""
        seen = float(np.linalg.norm(influence)) / len(influence)
        stderr = float(estimate.stderr_nats or 0)
        return cls(estimate.nats, influence, math.sqrt(max(0.0, stderr**2 - seen**2)))


class _Sums(NamedTuple):
    """One pass over n pairs: the joint's terms, and a positive kernel of the product summed both ways.

    Attributes
    ----------
    joint
        Shape (n,).
    rows, columns
        Shape (n,) each: the logarithm of the kernel's sum over the partners of every x, and of every y,
        divided by how many partners a pair has on average.
    partners
        Shape (n,), or 1 where all pairs have as many: how many partners, as a share of that average.
    """

    joint: Tensor
    rows: Tensor
    columns: Tensor
    partners: Tensor | float

    @property
    def log_mean(self) -> Tensor:
        """Logarithm of the kernel's mean over the product."""
        return self.rows.logsumexp(dim=0) - math.log(len(self.rows))


def _pass_over(
    n: int,
    device: torch.device,
    terms: Callable[[int, int], tuple[Tensor, Tensor]],
    diagonal_is_marginal: bool,
    groups: Tensor | None,
) -> _Sums:
    """Collect the joint's terms and the product's log kernel, rows start to stop against all n columns."""
    joint = torch.empty(n, dtype=torch.float64, device=device)
    rows = torch.empty(n, dtype=torch.float64, device=device)
    columns = torch.full((n,), -torch.inf, dtype=torch.float64, device=device)
    for start, stop in chunks(n, device):
        joint[start:stop], log_kernel = terms(start, stop)
        if groups is not None:
            log_kernel[groups[start:stop, None] == groups] = -torch.inf
        elif not diagonal_is_marginal:
            log_kernel.diagonal(start).fill_(-torch.inf)
        rows[start:stop] = log_kernel.logsumexp(dim=1)
        columns = torch.logaddexp(columns, log_kernel.logsumexp(dim=0))
    if groups is None:
        log_partners = math.log(n if diagonal_is_marginal else n - 1)
        return _Sums(joint, rows - log_partners, columns - log_partners, 1.0)
    partners = strangers(groups)
    mean = partners.mean()
    return _Sums(joint, rows - mean.log(), columns - mean.log(), partners / mean)


def strangers(groups: Tensor) -> Tensor:
    """Count the pairs of other groups, for every pair: shape (n,), in double precision.

    Raises
    ------
    InputError
        When all pairs are of one group.
    """
    own, sizes = groups.unique(return_inverse=True, return_counts=True)[1:]
    if len(sizes) < 2:
        raise InputError("all pairs are of one group, and no other is left to compare them with; add groups")
    return (len(groups) - sizes[own]).double()


def over_strangers(values: Tensor, groups: Tensor) -> Tensor:
    """Add up the values of the pairs of other groups, for every pair: shape (n,) to (n,)."""
    own = groups.unique(return_inverse=True)[1]
    return values.sum() - torch.zeros_like(values).index_add_(0, own, values)[own]


def next_stranger(groups: Tensor) -> Tensor:
    """Give for every pair the next of another group, around a circle: places, shape (n,)."""
    last = torch.nonzero(groups != groups.roll(-1)).squeeze(1)  # of each run of one group
    of_run = torch.searchsorted(last, torch.arange(len(groups), device=groups.device)) % len(last)
    return (last[of_run] + 1) % len(groups)


def _normalised(sums: _Sums) -> Reading:
    """Read mean(joint) - log mean(kernel)."""
    joint, log_z = sums.joint, sums.log_mean
    own = (sums.rows - log_z).exp() + (sums.columns - log_z).exp()
    influence = (joint - joint.mean()) - (own - 2 * sums.partners)
    return as_reading(joint.mean() - log_z, influence, _effective_rows(sums))


def _unnormalised(sums: _Sums) -> Reading:
    """Read mean(joint) - mean(kernel)."""
    joint, z = sums.joint, sums.log_mean.exp()
    influence = (joint - joint.mean()) - (sums.rows.exp() + sums.columns.exp() - 2 * z * sums.partners)
    return as_reading(joint.mean() - z, influence, _effective_rows(sums))


def _effective_rows(sums: _Sums) -> Tensor:
    """Kish's effective number of the rows, or columns if they are fewer, that make up the kernel's mean."""
    numbers = [2 * one.logsumexp(dim=0) - (2 * one).logsumexp(dim=0) for one in (sums.rows, sums.columns)]
    return torch.stack(numbers).min().exp()


def as_reading(nats: Tensor, influence: Tensor, normaliser_rows: Tensor | None = None) -> Reading:
    """Take a value, a scalar, and the influence of n pairs on it, shape (n,), from their device.

    Parameters
    ----------
    nats, influence
        As :class:`Reading` has them.
    normaliser_rows
        A scalar, or None where no mean over the product normalises the bound.
    """
    rows = math.inf if normaliser_rows is None else float(normaliser_rows)
    return Reading(float(nats), influence.cpu().numpy(), normaliser_rows=rows)


def chunks(n: int, device: torch.device) -> list[tuple[int, int]]:
    """Cut n rows so that the scores of each piece against n others fit in memory: (start, stop)."""
    size = max(1, SCORES_IN_MEMORY // n)
    if device.type == "cpu" and n > MANY_PAIRS:
        size = min(size, max(FEWEST_ROWS_OF_PIECE, SCORES_NEAR // n))
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def checked(scores: Tensor) -> Tensor:
    """Return a copy of the scores in double precision.

    Raises
    ------
    InputError
        When a score is not finite.
    """
    if not torch.isfinite(scores).all():
        raise InputError(
            "the critic's scores are not finite; lower the learning rate or remove extreme values"
        )
    # A copy even of doubles: what the critic returned may be its own.
    return scores.to(torch.float64, copy=True)


def pooled(readings: Sequence[Reading]) -> Reading:
    """Pool readings of disjoint items: the mean, every pair counting the same.

    Critics of different folds share most of their training items, so that their values are not quite
    independent; the standard error takes them to be. In trials it held: over 40 samples of 1,000 normal
    pairs, five folds spread by 0.019 nats where the mean standard error was 0.023, and 39 of the 40
    95% intervals covered the truth (a single split: 0.053, 0.052 and 39).

    Parameters
    ----------
    readings
        One a fold.
    """
    weights = np.array([len(reading.influence) for reading in readings], dtype=np.float64)
    weights /= weights.sum()
    return Reading(
        float(weights @ [reading.nats for reading in readings]),
        np.concatenate([reading.influence for reading in readings]),
        # One pair more, unseen, falls into one of the folds, and weighs there as much less.
        max(SINGLE_PRECISION_NATS, float(weights**2 @ [reading.unseen for reading in readings])),
    )
