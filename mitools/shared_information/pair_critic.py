"""The critic of two views: what embeddings have in common, and what both say of the label."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from mitools.estimators.bounds.infonce import infonce

MOST_ROWS = 2000
"""Rows by which the critic is fitted at the most: half of them for its table, half for five parameters."""

PENALTY = 0.03
"""Weight of the squares by which parameters leave where they start, over the rows: it keeps them finite where
every pair that is fitted to is told apart."""

PRIOR_COUNT = 0.1
"""Of pairs of labels, spread over the table's cells: none is impossible because it was not met."""


@dataclass(frozen=True)
class PairCritic:
    """A weighted sum of three critics, softly bounded above and below.

    The first is the inner product of embeddings. The others read class probabilities: in closed form, as far
    as two views are independent given the label, ``log sum_c p(c|v1) p(c|v2) / pi_c`` (Lee et al. 2023,
    Proposition III.1); and by a table of which labels of one view go with which of the other, since views may
    share a part of the label alone. Views that share a variable of few values have a ratio of densities of
    few values, and scores that vary between its values lose information: hence the bounds.

    Parameters
    ----------
    embedding
        How many of the columns of a row are its embedding; class probabilities stand behind.
    shares
        Shape (C,), pi.
    table
        Shape (C, C): the joint distribution of both views' labels over the product of its margins.
    weights
        Of the three.
    low, high
        Bounds of the score.
    """

    embedding: int
    shares: Tensor
    table: Tensor
    weights: tuple[float, float, float] = (1.0, 0.0, 0.0)
    low: float = -math.inf
    high: float = math.inf

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score rows (n, embedding + C) against (m, embedding + C): shape (n, m)."""
        embedded, by_label, by_table = self.parts(x, y)
        first, second, third = self.weights
        scores = first * embedded + second * by_label + third * by_table
        return softly_bounded(scores, scores.new_tensor(self.low), scores.new_tensor(self.high))

    def parts(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the scores of each critic, shape (n, m)."""
        k = self.embedding
        p, q = x[:, k:], y[:, k:]
        return x[:, :k] @ y[:, :k].T, _log(p @ (q / self.shares).T), _log(p @ self.table @ q.T)


def softly_bounded(scores: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Keep scores between two bounds, smoothly: ``log(exp(low) + 1 / (exp(-score) + exp(-high)))``.

    Examples
    --------
    >>> bounds = torch.tensor(-3.0), torch.tensor(3.0)
    >>> softly_bounded(torch.tensor([-90.0, 0.0, 90.0]), *bounds).round(decimals=2)
    tensor([-3.,  0.,  3.])
    """
    return torch.logaddexp(-torch.logaddexp(-scores, -high), low)


def fit_pair_critic(x: Tensor, y: Tensor, embedding: int, shares: Tensor) -> PairCritic:
    """Fit the critic to pairs that its parts were not fitted to, by InfoNCE.

    The table is counted on the first half of the pairs, and all else fitted to the second: in a table of many
    labels and few pairs every pair has a cell of its own, which tells it from all others there and nowhere
    else. Weights start at the inner product alone, bounds at the log of the number of pairs, which is as far
    as these can tell ratios of densities.

    Parameters
    ----------
    x, y
        Shape (n, embedding + C), row i with row i; of *select*.
    embedding, shares
        As :class:`PairCritic` takes them.
    """
    x, y = x[:MOST_ROWS], y[:MOST_ROWS]
    half = len(x) // 2
    critic = PairCritic(embedding, shares, _label_table(x[:half, embedding:], y[:half, embedding:]))
    x, y = x[half:], y[half:]
    with torch.no_grad():
        parts = torch.stack(critic.parts(x, y))
    bound = math.log(len(x))
    start = torch.tensor([1.0, 0.0, 0.0, -bound, bound], device=x.device)
    fitted = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS([fitted], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        scores = softly_bounded(torch.tensordot(fitted[:3], parts, 1), fitted[3], fitted[4])
        value = PENALTY / len(x) * (fitted - start).square().sum() - infonce(scores)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    *weights, low, high = fitted.tolist()
    return PairCritic(embedding, shares, critic.table, (weights[0], weights[1], weights[2]), low, high)


def _label_table(p: Tensor, q: Tensor) -> Tensor:
    """Count which labels go together, in shares, and divide by what chance would give: shape (C, C)."""
    joint = p.T @ q + PRIOR_COUNT / p.shape[1]
    joint = joint / joint.sum()
    return joint / (joint.sum(dim=1, keepdim=True) * joint.sum(dim=0))


def _log(ratio: Tensor) -> Tensor:
    return ratio.clamp_min(1e-12).log()
