"""Folds of a certificate: a split, the classifier fitted on it, and what that says of the reported items."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from mitools.backends.seeding import derive_seed
from mitools.core.entropy import entropy
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.calibrated_posterior import INVERSE_PENALTIES, CalibratedPosterior
from mitools.estimators.class_information.class_pairs import read_class_pairs, read_label_information
from mitools.estimators.inputs.folds import chosen_folds, cross_fit_parts
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts, as_many_as_report
from mitools.estimators.pairs import permuted_within

CROSS_FIT_BELOW_ITEMS = 100_000
"""Items below which a certificate is cross-fitted, unless told otherwise. Its standard error is then that of
all items and not of a fifth of them. From here on a fifth is 20,000 items, and one fit takes minutes."""


class CertificateFold(NamedTuple):
    """What one classifier was fitted on, and what it reads.

    Attributes
    ----------
    parts
        The split; *report* is the fold.
    posterior
        Fitted on *train*, calibrated on *select*.
    report, train
        The readings of *report*, and of as many training items, by method.
    right
        Reported items that the classifier decides rightly.
    """

    parts: Parts
    posterior: CalibratedPosterior
    report: dict[str, Reading]
    train: dict[str, Reading]
    right: int


def certificate_splits(
    labels: NDArray[np.int64], seed: int, groups: Groups | None = None, folds: int | None = None
) -> list[Parts]:
    """Split items as a certificate does: every item reported once where that is worth its time.

    Parameters
    ----------
    labels
        Shape (n,), 0..C-1.
    seed
        Of the shuffle.
    groups
        Shape (n,), counted from 0: items that stay together; None where every item stands alone.
    folds
        So many; None: 5 below :data:`CROSS_FIT_BELOW_ITEMS` items where 10 of every class are there, else 1.
    """
    n = len(labels)
    if folds is None:
        folds = chosen_folds(n, labels, groups, CROSS_FIT_BELOW_ITEMS)
    return cross_fit_parts(n, labels, folds, seed, groups)


def fit_folds(
    features: RowTable,
    labels: NDArray[np.int64],
    prior: NDArray[np.float64],
    splits: Sequence[Parts],
    classifier: ClassifierMixin | CalibratedPosterior | None,
    seed: int,
) -> tuple[list[CertificateFold], dict[str, Reading]]:
    """Fit and read every fold, and in the first labels that are permuted within its parts.

    The regularisation is searched in the first fold, and holds for all and for the null: a search for what is
    not there would walk to its costly end.

    Parameters
    ----------
    features, labels, prior
        Shapes (n, d), (n,) and (C,).
    splits
        One a fold.
    classifier
        Any scikit-learn classifier with ``predict_proba``; regularised logistic regression when None; or what
        was chosen and fitted on the first split already.
    seed
        Of the classifiers, and of the permuted labels of the null.

    Returns
    -------
    folds
        In the order of the splits.
    null
        The readings of the permuted labels, by method.
    """
    chosen = classifier if isinstance(classifier, CalibratedPosterior) else None
    kind = classifier if chosen is None else chosen.classifier
    folds: list[CertificateFold] = []
    null: dict[str, Reading] = {}
    penalties: Sequence[float] = INVERSE_PENALTIES

    def fitted(named: NDArray[np.int64], parts: Parts) -> CalibratedPosterior:
        fit, select = parts.train, parts.select
        posterior = CalibratedPosterior(kind, seed, penalties)
        of_fit, of_select = features.at(fit), features.at(select)
        return posterior.fit(of_fit, named[fit], of_select, named[select], prior, parts.groups_of(select))

    for k, parts in enumerate(splits):
        rng = np.random.default_rng([seed if k == 0 else derive_seed(seed, k), 1])
        permuted = permuted_within(labels, parts, rng) if k == 0 else None
        posterior = chosen if k == 0 and chosen is not None else fitted(labels, parts)
        if posterior.inverse_penalty_ is not None:
            penalties = (posterior.inverse_penalty_,)
        report = read_posterior(posterior, features, labels, parts, parts.report, rng)
        if permuted is not None:
            null = read_posterior(fitted(permuted, parts), features, permuted, parts, parts.report, rng)
        on_train = as_many_as_report(parts, labels, rng)
        train = read_posterior(posterior, features, labels, parts, on_train, rng)
        right = int((posterior.predict(features.at(parts.report)) == labels[parts.report]).sum())
        folds.append(CertificateFold(parts, posterior, report, train, right))
    return folds, null


def read_posterior(
    posterior: CalibratedPosterior,
    features: RowTable,
    labels: NDArray[np.int64],
    parts: Parts,
    items: NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, Reading]:
    """Take every reading on some items, by method.

    Parameters
    ----------
    posterior
        Fitted to other items.
    features, labels
        Of all items: shapes (n, d) and (n,), labels 0..C-1.
    parts
        The split, with the groups of all items, where these depend on each other.
    items
        Those that are read: two of every class at least, and of two groups.
    rng
        Deals the items of large classes into blocks.

    Returns
    -------
    dict
        ``class_posterior``, ``class_posterior_nwj`` and ``label_information``.
    """
    q, prior = posterior.predict_proba(features.at(items)), posterior.prior_
    groups = parts.groups_of(items)
    pairs = read_class_pairs(q, labels[items], prior, rng, groups)
    return {
        "class_posterior": pairs.donsker_varadhan,
        "class_posterior_nwj": pairs.nwj,
        "label_information": read_label_information(q, labels[items], prior, entropy(prior), groups),
    }
