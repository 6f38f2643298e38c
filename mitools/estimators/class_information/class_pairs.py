"""Same-class bounds from a class posterior: the closed-form critic with the exact normaliser.

X and Y are drawn independently from one class C ~ pi, so
``p(x, y) / p(x) p(y) = sum_c p(c|x) p(c|y) / pi_c``. With any posterior q in place of p this is a critic
``r(x, y)``, and every quantity below is a mean over pairs of *report* items, stratified by class so that
the class distribution is pi whatever the counts are.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import spans
from mitools.estimators.warnings import SINGLE_PRECISION_NATS

CLASS_PAIR_BLOCK = 4096
"""Same-class pairs are formed within random blocks of this many items: cost stays linear in n, every item
still meets thousands of others, and the first-order influence does not change."""


class ClassPairReadings(NamedTuple):
    """Donsker-Varadhan and the unbiased NWJ on the same pairs."""

    donsker_varadhan: Reading
    nwj: Reading


def read_class_pairs(
    posterior: NDArray[np.float32],
    labels: NDArray[np.int64],
    prior: NDArray[np.float64],
    rng: np.random.Generator,
    groups: Groups | None = None,
) -> ClassPairReadings:
    """Read the same-class mutual information off a posterior.

    With A the mean of log r over same-class pairs i != j and Z the mean of r over all pairs i != j, both
    weighted to the prior, Donsker-Varadhan reads ``A - log Z`` and NWJ reads ``A - Z + 1``. Both are
    U-statistics; their influence values come from the row means of their kernels (Hoeffding's first
    projection), not from treating pairs as independent.

    A part that shows no mistake does not prove that there are none: with mistakes rarer than 1 / n, the
    influence values alone would claim certainty. So the standard error also holds one item (or group) more,
    unseen, of the class whose items weigh most, that is read as the class it is least like.

    Parameters
    ----------
    posterior
        Shape (n, C): strictly positive class probabilities of the report items, from a fit that saw none
        of them.
    labels
        Shape (n,), 0..C-1, every class at least twice.
    prior
        Shape (C,), the class distribution that is meant.
    rng
        Deals the items of large classes into blocks.
    groups
        Shape (n,): items that depend on each other. Two of one group form no pair, and the influence is that
        of groups; every class lies in two groups at least. None where every item stands alone.
    """
    n, n_classes = posterior.shape
    counts = np.bincount(labels, minlength=n_classes)
    root = np.sqrt(prior).astype(np.float32)  # r(i, j) is the inner product of two rows of posterior / root

    # Z: r is linear in each argument, so its mean over all pairs needs class means only, never n^2 pairs.
    class_means = _sums_by(labels, posterior, root) / counts[:, None]
    mixture = prior @ class_means
    n_own, pi_own = counts[labels], prior[labels]
    kin = _Kin(posterior, labels, root, groups)
    row_z = np.empty(n)
    for some in spans(n, n_classes):
        scaled, of = posterior[some] / root, labels[some]
        own_mean = np.einsum("ij,ij->i", scaled, class_means[of], dtype=np.float64)
        # Taking the pair (i, i), and with it those of one group, out of the class's own mean.
        with_kin = np.einsum("ij,ij->i", scaled, kin.sums(some, scaled), dtype=np.float64)
        without_kin = (n_own[some] * own_mean - with_kin) / (n_own[some] - kin.counts[some])
        row_z[some] = scaled @ mixture + pi_own[some] * (without_kin - own_mean)
    weights = pi_own / n_own
    z = float(weights @ row_z)

    row_log = np.empty(n)
    for members in np.split(np.argsort(labels, kind="stable"), np.cumsum(counts)[:-1]):
        blocks = max(1, round(len(members) / CLASS_PAIR_BLOCK))
        for block in np.array_split(rng.permutation(members), blocks):
            scaled = posterior[block] / root
            log_r = np.log(scaled @ scaled.T)
            if groups is None:
                np.fill_diagonal(log_r, 0)
                partners: int | NDArray[np.int64] = len(block) - 1
            else:
                strangers = groups[block, None] != groups[block]
                log_r *= strangers
                partners = np.maximum(strangers.sum(axis=1), 1)
            row_log[block] = log_r.sum(axis=1, dtype=np.float64) / partners
    a = float(weights @ row_log)

    unlike = np.log((class_means @ class_means.T).min())
    together = 1.0 if groups is None else n / len(np.unique(groups))
    unseen = float(np.hypot(2 * together * weights.max() * (unlike - a), SINGLE_PRECISION_NATS))
    a_influence = _influence(2 * row_log, labels, counts, weights)
    z_influence = _influence(2 * row_z, labels, counts, weights)
    return ClassPairReadings(
        Reading(a - float(np.log(z)), a_influence - z_influence / z, unseen).by_group(groups),
        Reading(a - z + 1, a_influence - z_influence, unseen).by_group(groups),
    )


def read_label_information(
    posterior: NDArray[np.float32],
    labels: NDArray[np.int64],
    prior: NDArray[np.float64],
    entropy: float,
    groups: Groups | None = None,
) -> Reading:
    """Read the Barber-Agakov bound on label information, ``I(H;C) >= H(C) - cross-entropy``.

    Parameters
    ----------
    posterior
        Shape (n, C), as for :func:`read_class_pairs`.
    labels
        Shape (n,).
    prior
        Shape (C,).
    entropy
        H(C) in nats.
    groups
        Shape (n,), as for :func:`read_class_pairs`.
    """
    counts = np.bincount(labels, minlength=len(prior))
    weights = (prior / counts)[labels]
    log_own = np.log(posterior[np.arange(len(labels)), labels].astype(np.float64))
    mean = float(weights @ log_own)
    class_means = _sums_by(labels, posterior, np.ones(len(prior), np.float32)) / counts[:, None]
    unlike = np.log(class_means.min())
    together = 1.0 if groups is None else len(labels) / len(np.unique(groups))
    unseen = float(np.hypot(together * weights.max() * (unlike - mean), SINGLE_PRECISION_NATS))
    return Reading(entropy + mean, _influence(log_own, labels, counts, weights), unseen).by_group(groups)


class _Kin:
    """What every item forms no pair with: itself, or the items of its class and group.

    Attributes
    ----------
    counts
        Shape (n,): how many these are, the item itself included.
    """

    def __init__(
        self,
        posterior: NDArray[np.float32],
        labels: NDArray[np.int64],
        root: NDArray[np.float32],
        groups: Groups | None,
    ) -> None:
        n, n_classes = posterior.shape
        self._lot: NDArray[np.int64] | None = None
        self.counts = np.ones(n, dtype=np.int64)
        if groups is not None:
            self._lot = np.unique(groups * n_classes + labels, return_inverse=True)[1].astype(np.int64)
            sizes = np.bincount(self._lot)
            self.counts = sizes[self._lot]
            self._sums = _sums_by(self._lot, posterior, root)

    def sums(self, some: slice, scaled: NDArray[np.float32]) -> NDArray[Any]:
        """Add up posterior / root over the kin of some items, shape (m, C); `scaled` is their own."""
        return scaled if self._lot is None else self._sums[self._lot[some]]


def _sums_by(
    kinds: NDArray[np.int64], posterior: NDArray[np.float32], root: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Sum the rows of posterior / root by kind, 0..K-1, shape (K, C)."""
    counts = np.bincount(kinds)
    sums = np.zeros((len(counts), posterior.shape[1]))
    for kind, members in enumerate(np.split(np.argsort(kinds, kind="stable"), np.cumsum(counts)[:-1])):
        for some in spans(len(members), posterior.shape[1]):
            sums[kind] += (posterior[members[some]] / root).sum(axis=0, dtype=np.float64)
    return sums


def _influence(
    rows: NDArray[np.float64],
    labels: NDArray[np.int64],
    counts: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Influence of each item on a stratified mean, scaled so that its variance is sum(psi^2) / n^2.

    Items are centred within their class, since class counts are fixed by the split; the factor
    n_c / (n_c - 1) makes each class's variance unbiased.
    """
    class_mean = np.bincount(labels, rows, minlength=len(counts)) / counts
    correction = np.sqrt(counts / (counts - 1))
    return len(rows) * weights * (rows - class_mean[labels]) * correction[labels]
