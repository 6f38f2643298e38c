"""Closed-form critics for a network to correct: fitted without training, and without parameters."""

import numpy as np
import torch
from sklearn.isotonic import isotonic_regression
from torch import Tensor, nn

from mitools.estimators.array_types import Doubles

CORRELATION_FOLDS = 5
"""Folds by which canonical correlations are cross-validated."""

FEWEST_ROWS_TO_CORRELATE = 10
"""Rows below which every correlation counts as 0."""

CLEAR_CORRELATION = 0.1
"""A cross-validated canonical correlation from which its two variates count as dependent."""

LARGEST_CORRELATION = 1 - 1e-6
"""A canonical correlation of 1 would make every score infinite; this one is worth 6.6 nats."""


class GaussianCopulaBase(nn.Module):
    """The log density ratio of jointly normal x and y; on normal scores, that of a Gaussian copula.

    In canonical variates u and v of correlations r the ratio is a sum over their pairs,
    ``-log(1 - r^2) / 2 + (r u v - r^2 (u^2 + v^2) / 2) / (1 - r^2)``.

    *Few rows.* The correlation of two canonical variates on the rows they were fitted to is too large. So
    each pair's correlation, and its variates' variances, are those on rows that were not fitted, by
    cross-validation over five folds: what is noise gets a correlation near 0, and what is not is hardly
    shrunk. Each side's own covariance is Ledoit and Wolf's, so that rows may be fewer than dimensions.
    With 1,000 rows in 50+50 dimensions, two pairs of which hold 1.02 nats, Donsker-Varadhan on other
    rows read 0.80 by this ratio, 0.19 by that of a joint covariance shrunk as Ledoit and Wolf's, and
    -0.61 by that of the sample's.

    Build it by :meth:`fit`. Its parts are buffers, so that bases of one shape can be stacked.

    Parameters
    ----------
    mean_x, mean_y
        Shapes (d_x,) and (d_y,).
    to_u, to_v
        Shapes (d_x, k) and (d_y, k): what turns rows into canonical variates of variance 1.
    correlations
        Shape (k,), in [0, 1).

    Attributes
    ----------
    nats
        A scalar: the mutual information of the fitted normal.
    """

    mean_x: Tensor
    mean_y: Tensor
    to_u: Tensor
    to_v: Tensor
    correlations: Tensor
    nats: Tensor

    def __init__(
        self, mean_x: Doubles, mean_y: Doubles, to_u: Doubles, to_v: Doubles, correlations: Doubles
    ) -> None:
        super().__init__()
        unexplained = 1 - np.square(correlations)
        sharpness = np.sqrt(correlations / unexplained)
        buffers = {
            "mean_x": mean_x,
            "mean_y": mean_y,
            "to_u": to_u * sharpness,
            "to_v": to_v * sharpness,
            "correlations": correlations,
            "nats": -np.log(unexplained).sum() / 2,
        }
        for name, values in buffers.items():
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64))

    @classmethod
    def fit(cls, x: Tensor, y: Tensor) -> "GaussianCopulaBase":
        """Fit on pairs.

        Parameters
        ----------
        x, y
            Shapes (n, d_x) and (n, d_y), n >= 2, scaled, row i paired with row i. No item should come
            twice: cross-validation would meet again what it was fitted to. Fewer than ten pairs say
            nothing, and every score is 0.
        """
        rows_x, rows_y = (side.detach().cpu().numpy().astype(np.float64) for side in (x, y))
        mean_x, mean_y = rows_x.mean(axis=0), rows_y.mean(axis=0)
        rows_x, rows_y = rows_x - mean_x, rows_y - mean_y
        to_u, to_v = _canonical(rows_x, rows_y)
        if len(rows_x) < FEWEST_ROWS_TO_CORRELATE:
            return cls(mean_x, mean_y, to_u, to_v, np.zeros(to_u.shape[1])).to(x.device)
        moments = np.zeros((3, to_u.shape[1]))
        fold = np.random.default_rng(0).permutation(len(rows_x)) % CORRELATION_FOLDS
        for k in range(CORRELATION_FOLDS):
            held = fold == k
            fold_u, fold_v = _canonical(rows_x[~held], rows_y[~held])
            u, v = rows_x[held] @ fold_u, rows_y[held] @ fold_v
            moments += (u * u).sum(axis=0), (v * v).sum(axis=0), (u * v).sum(axis=0)
        # A direction without variance in the held rows carries nothing.
        var_u, var_v = (np.where(m > 0, m, np.inf) for m in moments[:2] / len(rows_x))
        correlations = _without_chance(moments[2] / len(rows_x) / np.sqrt(var_u * var_v), len(rows_x))
        base = cls(mean_x, mean_y, to_u / np.sqrt(var_u), to_v / np.sqrt(var_v), correlations)
        return base.to(x.device)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        # In double precision: near correlation 1 the three terms are large and their sum is small.
        u = (x.double() - self.mean_x) @ self.to_u
        v = (y.double() - self.mean_y) @ self.to_v
        of_u = self.nats - u.square() @ self.correlations / 2
        of_v = v.square() @ self.correlations / 2
        return (u @ v.T + of_u[:, None] - of_v).to(x.dtype)


def _canonical(x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
    """Directions of the canonical variates of centred rows, strongest first: (d_x, k) and (d_y, k)."""
    white_x, white_y = _whitening(x), _whitening(y)
    left, _, right = np.linalg.svd(white_x.T @ (x.T @ y) @ white_y, full_matrices=False)
    return white_x @ left, white_y @ right.T


def _without_chance(correlations: Doubles, n: int) -> Doubles:
    """Take the noise off cross-validated correlations of n rows, given the strongest first.

    They are made decreasing, which pools neighbours, and then shrunk by their variance (James & Stein
    1961, positive part). On 60 independent rows in 50+50 dimensions the ratio then reads -0.02 nats on
    others; by either step alone it reads -0.14 and -0.27, and by none -0.54.
    """
    ordered = np.clip(isotonic_regression(correlations, increasing=False), 0, LARGEST_CORRELATION)
    variance = np.square(1 - np.square(ordered)) / n
    return np.maximum(np.square(ordered) - variance, 0) / np.maximum(ordered, 1 / n)


def _whitening(rows: Doubles) -> Doubles:
    """Inverse square root of the covariance, shape (d, d), shrunk as by Ledoit & Wolf (2004)."""
    from sklearn.covariance import ledoit_wolf

    variances, axes = np.linalg.eigh(ledoit_wolf(rows, assume_centered=True)[0])
    # Directions that no row takes are left out and not blown up.
    held = variances > variances[-1] * len(variances) * np.finfo(np.float64).eps
    scales = np.where(held, 1 / np.sqrt(np.where(held, variances, 1)), 0)
    return axes * scales @ axes.T
