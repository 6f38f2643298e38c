"""Models of the density of y given x: a learned Gaussian, and one that is known."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.estimators.critics.networks import BlindCritic, mlp

LEAST_LOG_SCALE = -7.0
"""Nothing is modelled as less spread than this, in logarithms of y's own deviation."""

RIDGE_PENALTIES = np.logspace(-6, 2, 17)
"""Ridge penalties tried for the linear start, as shares of the mean variance of x."""

KNOWN_DENSITY_PAIRS_AT_ONCE = 64
"""Pairs whose own scores are taken from one small score matrix of a known density."""


class KnownConditional(Protocol):
    """A conditional density that the caller knows, such as that of noise the caller added."""

    def log_prob(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give log p(y_j | x_i) in nats for y, shape (m, d_y), and x, shape (n, d_x): shape (n, m)."""
        ...


class AdditiveGaussianNoise:
    """The known density of ``y = mean(x) + e`` with normal e.

    Parameters
    ----------
    covariance
        Of e, shape (d_y, d_y); a number stands for a variance of every column.
    mean
        Maps x, shape (n, d_x), to the mean of y, shape (n, d_y); x itself when None.

    Examples
    --------
    >>> channel = AdditiveGaussianNoise(0.5)
    >>> channel.log_prob(np.zeros((1, 1)), np.array([[0.0], [1.0]])).ravel().round(3)
    array([-0.572, -1.572])
    """

    def __init__(
        self,
        covariance: float | NDArray[np.float64],
        mean: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    ) -> None:
        self.covariance = covariance
        self.mean = mean

    def log_prob(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give log p(y_j | x_i) in nats, shape (n, m)."""
        means = x if self.mean is None else self.mean(x)
        d = y.shape[1]
        covariance = self.covariance * np.eye(d) if np.ndim(self.covariance) == 0 else self.covariance
        try:
            factor = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            raise InputError("the noise's covariance is not positive definite; give a larger one") from None
        white_y, white_means = (np.linalg.solve(factor, rows.T).T for rows in (y, means))
        scores = white_means @ white_y.T
        scores -= np.square(white_means).sum(axis=1)[:, None] / 2
        scores -= np.square(white_y).sum(axis=1) / 2
        scores -= np.log(np.diag(factor)).sum() + d / 2 * math.log(2 * math.pi)
        return scores


class GaussianConditional(nn.Module):
    """q(y|x): normal, its mean and scales a linear map of x and a network that corrects it.

    y is white (:class:`mitools.estimators.inputs.whitening.Whitening`), so that the Gaussian marginal
    r(y) is the standard normal, and the scores are ``log q(y|x) - log r(y)``: a critic like any other, 0
    where x says nothing of y. Precision is ``U' D(x)^-2 U`` with U unit lower triangular, the same for every
    x, and D diagonal.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the network's hidden layers.
    full
        Whether U is learned; the covariance is diagonal when it is not.
    """

    def __init__(self, d_x: int, d_y: int, hidden: Sequence[int] = (256, 256), full: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(d_x, 2 * d_y)
        self.network = mlp([d_x, *hidden, 2 * d_y])
        self.full = full
        if full:
            self.below = nn.Parameter(torch.zeros(d_y, d_y))
        last: Any = self.network[-1]
        for parameter in (self.linear.weight, self.linear.bias, last.weight, last.bias):
            nn.init.zeros_(parameter)

    @torch.no_grad()
    def start(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
        """Start at the best linear Gaussian model of some rows, shapes (n, d_x) and (n, d_y)."""
        d_y = y.shape[1]
        weight, bias, covariance = ridge(x.astype(np.float64), y.astype(np.float64))
        if not self.full:
            covariance = np.diag(np.diag(covariance))
        factor = np.linalg.cholesky(covariance)
        scales = np.diag(factor)
        below = np.linalg.inv(factor / scales)
        log_scale = np.maximum(np.log(scales), LEAST_LOG_SCALE + 0.1)
        # The inverse of the softplus that holds the scales above the least.
        raw = LEAST_LOG_SCALE + np.log(np.expm1(log_scale - LEAST_LOG_SCALE))
        self.linear.weight[:d_y] = torch.from_numpy(weight.T)
        self.linear.bias.copy_(torch.from_numpy(np.concatenate([bias, raw])))
        if self.full:
            self.below.copy_(torch.from_numpy(below))

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give the mean and the log scales given x, shape (n, d_y) each."""
        mean, raw = (self.linear(x) + self.network(x)).chunk(2, dim=-1)
        return mean, LEAST_LOG_SCALE + nn.functional.softplus(raw - LEAST_LOG_SCALE)

    def mix(self, rows: Tensor) -> Tensor:
        """Apply U to rows, shape (n, d_y)."""
        return rows + rows @ self.below.tril(-1).T if self.full else rows

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Score row i of x against row i of y: shape (n,)."""
        mean, log_scale = self.moments(x)
        z = self.mix(y - mean) * (-log_scale).exp()
        return (y.square() - z.square()).sum(dim=-1) / 2 - log_scale.sum(dim=-1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        mean, log_scale = (values.double() for values in self.moments(x))
        # In double precision: the squares are expanded, and their difference may be far smaller than they.
        precision = (-2 * log_scale).exp()
        mixed_y, mixed_mean = self.mix(y).double(), self.mix(mean.to(y.dtype)).double()
        squares = precision @ mixed_y.square().T - 2 * (precision * mixed_mean) @ mixed_y.T
        squares += (precision * mixed_mean.square()).sum(dim=1, keepdim=True)
        return (y.double().square().sum(dim=1) - squares) / 2 - log_scale.sum(dim=1, keepdim=True)

    def divergence(self, x: Tensor) -> Tensor:
        """KL divergence of q(y|x) from the standard normal, in nats, shape (n,)."""
        mean, log_scale = self.moments(x)
        unit = torch.eye(mean.shape[-1], dtype=mean.dtype, device=mean.device)
        inverse = torch.linalg.solve_triangular(self.mix(unit).T, unit, upper=False, unitriangular=True)
        trace = (2 * log_scale).exp() @ inverse.square().sum(dim=0)
        return (trace + mean.square().sum(dim=-1) - mean.shape[-1]) / 2 - log_scale.sum(dim=-1)


class BlindConditional(BlindCritic):
    """q(y|x) = r(y): what is read where nothing could be learnt."""

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Score row i of x against row i of y: shape (n,)."""
        return x.new_zeros(len(x))

    def divergence(self, x: Tensor) -> Tensor:
        """KL divergence of q(y|x) from r(y), in nats, shape (n,)."""
        return x.new_zeros(len(x))


class KnownCritic:
    """A known conditional density as a critic: ``log p(y|x) - log r(y)``.

    Parameters
    ----------
    conditional
        The density.
    log_marginal
        Maps y, shape (m, d_y), to log r(y), shape (m,); 0 when None, for bounds that it takes no part in.
    """

    def __init__(
        self,
        conditional: KnownConditional,
        log_marginal: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
    ) -> None:
        self.conditional = conditional
        self.log_marginal = log_marginal

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        rows = y.numpy()
        scores = np.asarray(self.conditional.log_prob(rows, x.numpy()), dtype=np.float64)
        if scores.shape != (len(x), len(y)):
            raise InputError(
                f"the known density's log_prob gives shape {scores.shape}, but {(len(x), len(y))} is needed:"
                " a row for every x and a column for every y"
            )
        return torch.from_numpy(scores if self.log_marginal is None else scores - self.log_marginal(rows))

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Score row i of x against row i of y: shape (n,)."""
        some = zip(x.split(KNOWN_DENSITY_PAIRS_AT_ONCE), y.split(KNOWN_DENSITY_PAIRS_AT_ONCE), strict=True)
        return torch.cat([self(x_rows, y_rows).diagonal() for x_rows, y_rows in some])


def ridge(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Regress y on x with the penalty that generalised cross-validation picks.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) and (n, d_y).

    Returns
    -------
    weight, bias
        Shapes (d_x, d_y) and (d_y,).
    covariance
        Shape (d_y, d_y): of what is left of y, for the degrees of freedom that are left, and shrunk a
        little where rows are few.
    """
    from sklearn.covariance import ledoit_wolf

    n = len(x)
    centre_x, centre_y = x.mean(axis=0), y.mean(axis=0)
    left, scales, right = np.linalg.svd(x - centre_x, full_matrices=False)
    target = left.T @ (y - centre_y)
    unexplained = np.square(y - centre_y).sum() - np.square(target).sum()
    # Above what a penalty takes below the smallest number of full precision, which streams count as 0.
    variance = max(float(np.square(scales).mean()), 1e-200)

    def kept(penalty: float) -> NDArray[np.float64]:
        return np.square(scales) / (np.square(scales) + penalty * variance)

    def score(penalty: float) -> float:
        lost = unexplained + np.square((1 - kept(penalty))[:, None] * target).sum()
        return float(lost / (n - 1 - kept(penalty).sum()) ** 2)

    # Where columns are many, a small penalty explains everything and leaves nothing to judge it by.
    allowed = [penalty for penalty in RIDGE_PENALTIES if kept(penalty).sum() < 0.9 * n]
    share = kept(min(allowed, key=score))
    inverse = np.divide(share, scales, out=np.zeros_like(scales), where=scales > 0)
    weight = right.T @ (inverse[:, None] * target)
    residuals = (y - centre_y) - (x - centre_x) @ weight
    covariance, _ = ledoit_wolf(residuals, assume_centered=True)
    least = math.exp(2 * LEAST_LOG_SCALE) * np.eye(y.shape[1])
    return weight, centre_y - centre_x @ weight, covariance * n / (n - 1 - share.sum()) + least
