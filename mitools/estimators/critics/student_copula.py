"""The closed-form critic of a shared scale: the log density ratio of a Student-t copula."""

import math
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit
from torch import Tensor, nn

from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase

DEGREES_OF_FREEDOM = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 25.0)
"""Tried in turn; with more the copula is all but a Gaussian one."""

PAIRS_TO_CHOOSE_DF_BY = 1000
"""Training pairs on which the degrees of freedom are compared, at the most."""

LARGEST_NORMAL_SCORE = 5.0
"""Normal scores beyond which all are taken for the same: those of one row in three million."""

SCORE_TABLE_KNOTS = 2001
"""Entries of the table that turns normal scores into t-scores."""


class StudentCopulaBase(nn.Module):
    """The log density ratio of x and y that are jointly Student-t but for a monotone map of each column.

    Rows that share a scale (a sample's contrast, a day's volatility) depend on each other even where
    nothing is correlated, which the Gaussian copula cannot see; this is the simplest family that does. With
    t-scores instead of normal ones, their squared Mahalanobis norms q and d columns the ratio is that of
    ``Gamma((v + d)/2) (1 + q/v)^(-(v + d)/2) / Gamma(v/2)`` for (x, y) and for each side (Demarta &
    McNeil 2005, Eq. 4). Correlations are those of the normal scores, which differ little from the
    copula's own; v is the one that reads most on training pairs.

    Build it by :meth:`fit`. Its parts are buffers, so that bases of one shape can be stacked.

    Parameters
    ----------
    gaussian
        Fitted to the same normal scores: the canonical variates and their correlations.
    precision_x, precision_y
        Shapes (d_x, d_x) and (d_y, d_y): the inverse covariances of the normal scores.
    df
        Degrees of freedom v.
    """

    precision_x: Tensor
    precision_y: Tensor
    t_scores: Tensor
    d_x: Tensor
    d_y: Tensor
    df: Tensor
    constant: Tensor

    def __init__(
        self,
        gaussian: GaussianCopulaBase,
        precision_x: NDArray[np.float64],
        precision_y: NDArray[np.float64],
        df: float,
    ) -> None:
        super().__init__()
        # Columns that do not vary have no precision, and are none.
        d_x, d_y = (np.count_nonzero(precision.diagonal()) for precision in (precision_x, precision_y))
        self.gaussian = gaussian
        constant = math.lgamma((df + d_x + d_y) / 2) + math.lgamma(df / 2)
        constant -= math.lgamma((df + d_x) / 2) + math.lgamma((df + d_y) / 2)
        scores = stdtrit(
            df, ndtr(np.linspace(-LARGEST_NORMAL_SCORE, LARGEST_NORMAL_SCORE, SCORE_TABLE_KNOTS))
        )
        buffers = {
            "precision_x": precision_x,
            "precision_y": precision_y,
            "t_scores": scores,
            "d_x": float(d_x),
            "d_y": float(d_y),
            "df": df,
            "constant": constant,
        }
        for name, values in buffers.items():
            self.register_buffer(name, torch.tensor(values, dtype=torch.float64))

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, gaussian: GaussianCopulaBase) -> Self:
        """Fit on pairs of normal scores.

        Parameters
        ----------
        x, y
            Shapes (n, d_x) and (n, d_y), row i paired with row i.
        gaussian
            Fitted to the same pairs.
        """
        precision_x, precision_y = (_precision(side.double().cpu().numpy()) for side in (x, y))
        chosen = np.random.default_rng(0).permutation(len(x))[:PAIRS_TO_CHOOSE_DF_BY]
        some = x[torch.from_numpy(chosen)], y[torch.from_numpy(chosen)]
        best, most = None, -math.inf
        for df in DEGREES_OF_FREEDOM:
            base = cls(gaussian, precision_x, precision_y, df).to(x.device)
            nats = read_donsker_varadhan(base, *some).nats
            if nats < most:
                break
            best, most = base, nats
        assert best is not None
        return best

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        t_x, t_y = self._scores(x), self._scores(y)
        q_x, q_y = ((t @ p * t).sum(dim=1) for t, p in ((t_x, self.precision_x), (t_y, self.precision_y)))
        base = self.gaussian
        u, v = t_x @ base.to_u, t_y @ base.to_v
        of_u, of_v = (q + w.square() @ base.correlations for q, w in ((q_x, u), (q_y, v)))
        # Rounding, where rows determine each other, must not take the norm below 0.
        q = (of_u[:, None] + of_v - 2 * u @ v.T).clamp(min=0)
        joint = self._log_kernel(q, self.d_x + self.d_y)
        product = self._log_kernel(q_x, self.d_x)[:, None] + self._log_kernel(q_y, self.d_y)
        return (self.constant + base.nats + joint - product).to(x.dtype)

    def _scores(self, rows: Tensor) -> Tensor:
        """Turn normal scores into t-scores, by a table."""
        knots_a_unit = (SCORE_TABLE_KNOTS - 1) / (2 * LARGEST_NORMAL_SCORE)
        held = rows.double().clamp(-LARGEST_NORMAL_SCORE, LARGEST_NORMAL_SCORE)
        place = (held + LARGEST_NORMAL_SCORE) * knots_a_unit
        below = place.floor().clamp(max=SCORE_TABLE_KNOTS - 2).long()
        share = place - below
        return (1 - share) * self.t_scores[below] + share * self.t_scores[below + 1]

    def _log_kernel(self, q: Tensor, d: Tensor) -> Tensor:
        return -(self.df + d) / 2 * (q / self.df).log1p()


def _precision(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse covariance, shape (d, d), shrunk as by Ledoit & Wolf (2004); 0 for columns that do not vary."""
    from sklearn.covariance import ledoit_wolf

    precision = np.zeros((rows.shape[1], rows.shape[1]))
    varies = np.ptp(rows, axis=0) > 0
    if varies.any():
        covariance, _ = ledoit_wolf(rows[:, varies] - rows[:, varies].mean(axis=0), assume_centered=True)
        precision[np.ix_(varies, varies)] = np.linalg.pinv(covariance, hermitian=True)
    return precision
