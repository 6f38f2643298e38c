"""Which samples carry the information: the log density ratio of every pair, as a fitted critic sees it."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from mitools.backends.devices import resolve_device
from mitools.core.errors import InputError
from mitools.estimators.array_types import Doubles
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.class_information.certificate_folds import CertificateFold
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.validation import as_labels, as_rows, as_table, same_length
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.neural.plan import Fold

SCORED_ROWS_AT_ONCE = 256
"""Rows that are scored against all others at a time."""


class PointwiseMI(NamedTuple):
    """Pointwise mutual information ``log p(x,y) / p(x)p(y)`` of pairs, or a bound's share of it.

    Attributes
    ----------
    rows
        Shape (n,): the row of x in each pair, or the item.
    nats
        Shape (n,): what the pair adds. Below 0 for a pair that is likelier put together at random.
    weights
        Shape (n,), summing to one: 1 / n, or what restores the class distribution that is meant.
    """

    rows: NDArray[np.int64]
    nats: Doubles
    weights: Doubles

    @property
    def mean_nats(self) -> float:
        """The weighted mean: the reading that the pairs come from."""
        return float(self.weights @ self.nats)


def pointwise_reported(fitted: CrossFittedEstimator, x: ArrayLike, y: ArrayLike) -> PointwiseMI:
    """Give the pointwise information of the pairs that an estimate was reported on.

    Every pair is scored by the critic that neither was fitted to it nor chosen by it (after cross-fitting,
    by that of its own fold), and the mean is the estimate. InfoNCE is a mean of log ratios, ``f(x_i, y_i)``
    less the logarithm of row i's mean ``exp f``, and these are given. The other methods take one normaliser
    off the mean score, such as Donsker-Varadhan's ``log Z``; it is taken off every score.

    Parameters
    ----------
    fitted
        After ``fit(x, y)``.
    x, y
        The rows that it was fitted to.

    Raises
    ------
    InputError
        When these are not the rows it was fitted to, or the method reads no log density ratio.
    """
    x_centring, y_centring = fitted.centring_
    x_rows, y_rows = as_rows(x, "x", x_centring), as_rows(y, "y", y_centring)
    needed = 1 + max(int(rows.max()) for fold in fitted.folds_ for rows in fold.pairs)
    for name, rows in (("x", x_rows), ("y", y_rows)):
        if len(rows) < needed:
            raise InputError(f"{name} has {len(rows)} rows, but the fit had {needed} or more; give the same")
    by_fold = []
    for fold in fitted.folds_:
        pairs = _scaled(fitted, fold, x_rows[fold.pairs.x], y_rows[fold.pairs.y])
        by_fold.append(_log_ratios(fitted.estimate_.method, fold.critic, *pairs, fold.reading.nats))
    nats = np.concatenate(by_fold)
    reported = np.concatenate([fold.pairs.x for fold in fitted.folds_])
    return PointwiseMI(reported, nats, np.full(len(nats), 1 / len(nats)))


def pointwise(fitted: CrossFittedEstimator, x: ArrayLike, y: ArrayLike) -> PointwiseMI:
    """Give the pointwise information of pairs that played no part in the fit.

    The pairs are each other's sample of the product of the marginals, so they should be drawn alike; the
    mean is the bound's reading on them. After cross-fitting it is the mean over the folds' critics.

    Parameters
    ----------
    fitted
        A fitted estimator.
    x, y
        Shapes (n, d_x) and (n, d_y): new rows, row i with row i.

    Raises
    ------
    InputError
        When the rows are malformed, of other dimensions than those fitted to, or fewer than two, or the
        method reads no log density ratio.
    """
    by_fold = [
        _log_ratios(fitted.estimate_.method, fold.critic, scaled_x, scaled_y, reading.nats)
        for fold, (scaled_x, scaled_y, reading) in zip(fitted.folds_, fitted.read_new_rows(x, y), strict=True)
    ]
    n = len(by_fold[0])
    return PointwiseMI(np.arange(n), np.mean(by_fold, axis=0), np.full(n, 1 / n))


def pointwise_of_class_pairs(fitted: ClassPosterior, x: ArrayLike, labels: ArrayLike) -> PointwiseMI:
    """Give what every report item adds to the certificate: the mean log ratio to others of its class.

    With ``r(i, j) = sum_c p(c|x_i) p(c|x_j) / pi_c`` that is the mean of ``log r(i, j)`` over the report
    items j of the class of i, less ``log Z``. The weighted mean is the Donsker-Varadhan certificate.

    Parameters
    ----------
    fitted
        After ``fit(x, labels)``.
    x, labels
        The rows and labels that it was fitted to.

    Raises
    ------
    InputError
        When these are not as many as it was fitted to.
    """
    rows, classes = _fitted_rows(fitted, x, labels)
    return _joined(fitted, [_class_pairs_of_fold(fold, rows, classes) for fold in fitted.folds_])


def pointwise_of_labels(fitted: ClassPosterior, x: ArrayLike, labels: ArrayLike) -> PointwiseMI:
    """Give what every report item says of its label, ``log p(c|x) / pi_c``.

    The weighted mean is Barber and Agakov's bound, ``fitted.label_information_``; an item below 0 speaks
    for another class.

    Parameters
    ----------
    fitted, x, labels
        As for :func:`pointwise_of_class_pairs`.
    """
    rows, classes = _fitted_rows(fitted, x, labels)
    found = []
    for fold in fitted.folds_:
        items, own, posterior = _report_posterior(fold, rows, classes)
        ratio = posterior[np.arange(len(own)), own] / fold.posterior.prior_[own]
        found.append(PointwiseMI(items, np.log(ratio), _weights(fold, own)))
    return _joined(fitted, found)


def _scaled(
    fitted: CrossFittedEstimator, fold: Fold, x: NDArray[np.float32], y: NDArray[np.float32]
) -> tuple[Tensor, Tensor]:
    device = resolve_device(fitted.device)
    return torch.from_numpy(fold.scale_x(x)).to(device), torch.from_numpy(fold.scale_y(y)).to(device)


@torch.no_grad()
def _log_ratios(method: str, critic: nn.Module, x: Tensor, y: Tensor, nats: float) -> Doubles:
    """Log ratio of each pair, whose mean is the reading `nats` of these pairs."""
    if method in ("infonce", "nt_xent"):
        return _normalised_by_row(critic, x, y, both_views=method == "nt_xent")
    if method == "deep_infomax":
        raise InputError("deep_infomax reads no log density ratio; take js, the same critic read as a bound")
    scores = torch.cat(
        [
            critic(a, b).diagonal()
            for a, b in zip(x.split(SCORED_ROWS_AT_ONCE), y.split(SCORED_ROWS_AT_ONCE), strict=True)
        ]
    ).double()
    return (scores - scores.mean() + nats).cpu().numpy()


def _normalised_by_row(critic: nn.Module, x: Tensor, y: Tensor, both_views: bool) -> Doubles:
    """Log share of each pair in its row's scores, times n; with `both_views` as NT-Xent compares them."""
    n = len(x)
    values = x.new_empty(n, dtype=torch.float64)
    for start in range(0, n, SCORED_ROWS_AT_ONCE):
        rows = slice(start, start + SCORED_ROWS_AT_ONCE)
        scores = critic(x[rows], y).double()
        own = scores.diagonal(start)
        if not both_views:
            values[rows] = own - scores.logsumexp(dim=1) + math.log(n)
            continue
        within_x, within_y = (critic(view[rows], view).double() for view in (x, y))
        for within in (within_x, within_y):
            within.diagonal(start).fill_(-torch.inf)
        from_x = torch.cat([scores, within_x], dim=1).logsumexp(dim=1)
        from_y = torch.cat([critic(x, y[rows]).double().T, within_y], dim=1).logsumexp(dim=1)
        values[rows] = own - (from_x + from_y) / 2 + math.log(2 * n - 1)
    return values.cpu().numpy()


def _fitted_rows(
    fitted: ClassPosterior, x: ArrayLike, labels: ArrayLike
) -> tuple[RowTable, NDArray[np.int64]]:
    rows, classes = as_table(x, "features", fitted.posterior_.centring_), as_labels(labels)
    same_length(len(rows), len(classes), "features", "labels")
    if len(rows) <= max(fold.parts.report.max() for fold in fitted.folds_):
        raise InputError(f"{len(rows)} rows are fewer than the fit had; give the rows it was fitted to")
    return rows, classes


def _class_pairs_of_fold(fold: CertificateFold, rows: RowTable, classes: NDArray[np.int64]) -> PointwiseMI:
    items, own, posterior = _report_posterior(fold, rows, classes)
    groups = items if fold.parts.groups is None else fold.parts.groups[items]
    scaled = posterior / np.sqrt(fold.posterior.prior_)
    mean_log = np.empty(len(items))
    for label in range(scaled.shape[1]):
        members = np.flatnonzero(own == label)
        for some in np.array_split(members, -(-len(members) // SCORED_ROWS_AT_ONCE)):
            strangers = groups[some, None] != groups[members]
            log_r = np.log(scaled[some] @ scaled[members].T) * strangers
            mean_log[some] = log_r.sum(axis=1) / strangers.sum(axis=1)
    weights = _weights(fold, own)
    log_z = float(weights @ mean_log) - fold.report["class_posterior"].nats
    return PointwiseMI(items, mean_log - log_z, weights)


def _report_posterior(
    fold: CertificateFold, rows: RowTable, classes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Doubles]:
    """Numbers, labels and class probabilities of the report items of a fold."""
    items = fold.parts.report
    return items, classes[items], fold.posterior.predict_proba(rows.at(items)).astype(np.float64)


def _weights(fold: CertificateFold, own: NDArray[np.int64]) -> Doubles:
    """Weights that restore the prior, whatever the class counts in *report*."""
    prior = fold.posterior.prior_
    return (prior / np.bincount(own, minlength=len(prior)))[own]


def _joined(fitted: ClassPosterior, found: Sequence[PointwiseMI]) -> PointwiseMI:
    """Join the items of all folds, each fold weighing as it does in the estimate."""
    sizes = np.array([len(fold.report["class_posterior"].influence) for fold in fitted.folds_])
    shares = sizes / sizes.sum()
    return PointwiseMI(
        np.concatenate([fold.rows for fold in found]),
        np.concatenate([fold.nats for fold in found]),
        np.concatenate([share * fold.weights for share, fold in zip(shares, found, strict=True)]),
    )
