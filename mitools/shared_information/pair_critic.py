"""The critic of two views: what embeddings have in common, and what both say of the label."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mitools.estimators.bounds.infonce import infonce

MOST_ROWS = 2000
"""Rows by which the weights are fitted at the most: there are two."""


@dataclass(frozen=True)
class PairCritic:
    """A weighted sum of two critics.

    One is the inner product of embeddings. The other has a closed form, as far as two views are independent
    given the label: ``log sum_c p(c|v1) p(c|v2) / pi_c`` (Lee et al. 2023, Proposition III.1).

    Parameters
    ----------
    embedding
        How many of the columns of a row are its embedding; class probabilities stand behind.
    shares
        Shape (C,), pi.
    weights
        Of the two.
    """

    embedding: int
    shares: Tensor
    weights: tuple[float, float] = (1.0, 0.0)

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score rows (n, embedding + C) against (m, embedding + C): shape (n, m)."""
        first, second = self.parts(x, y)
        return self.weights[0] * first + self.weights[1] * second

    def parts(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Give the scores of either critic, shape (n, m) each."""
        k = self.embedding
        return x[:, :k] @ y[:, :k].T, (x[:, k:] @ (y[:, k:] / self.shares).T).clamp_min(1e-12).log()


def fit_pair_critic(x: Tensor, y: Tensor, embedding: int, shares: Tensor) -> PairCritic:
    """Fit the weights to pairs that neither critic was fitted to, by InfoNCE, which is concave in them.

    Parameters
    ----------
    x, y
        Shape (n, embedding + C), row i with row i; of *select*.
    embedding, shares
        As :class:`PairCritic` takes them.
    """
    critic = PairCritic(embedding, shares)
    with torch.no_grad():
        first, second = critic.parts(x[:MOST_ROWS], y[:MOST_ROWS])
    weights = torch.tensor([1.0, 0.0], device=x.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = -infonce(weights[0] * first + weights[1] * second)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    one, two = weights.tolist()
    return PairCritic(embedding, shares, (one, two))
