"""NLEEP: LEEP with the components of a Gaussian mixture in place of source classes."""

import warnings

import numpy as np
from numpy.typing import ArrayLike

from mitools.backends.threads import blas_threads
from mitools.estimators.inputs.validation import as_labels, as_rows, same_length
from mitools.metrics.transferability.leep import leep
from mitools.metrics.transferability.principal_scores import PrincipalScores

VARIANCE_KEPT = 0.8
"""Share of the variance that the principal components keep, as in the paper."""

COMPONENTS_A_CLASS, FEWEST_ITEMS_A_COMPONENT = 5, 4


def nleep(features: ArrayLike, labels: ArrayLike, seed: int = 0) -> float:
    """LEEP of the posterior of a Gaussian mixture on the leading principal components; at most 0.

    The mixture has five components a class (fewer where that left under four items for each), fitted without
    the labels. In nats; higher is better.

    Parameters
    ----------
    features
        Shape (n, d).
    labels
        Shape (n,).
    seed
        Of the mixture's start.

    Raises
    ------
    InputError
        When the input is malformed or the lengths differ.

    References
    ----------
    Li et al., "Ranking Neural Checkpoints", CVPR 2021, section 3.2. Covariances are diagonal here, so that
    a component is known from few items.

    Examples
    --------
    >>> labels = np.arange(200) % 2
    >>> rows = 9 * labels[:, None] + np.random.default_rng(0).standard_normal((200, 3))
    >>> nleep(rows, labels) > -0.01
    True
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    rows, index = as_rows(features, "features").astype(np.float64), as_labels(labels)
    same_length(len(rows), len(index), "features", "labels")
    rows -= rows.mean(axis=0)
    scores, variances = PrincipalScores.of(rows)
    if len(variances) == 0:
        return leep(np.ones((len(rows), 1)), index)
    kept = int(np.searchsorted(np.cumsum(variances) / variances.sum(), VARIANCE_KEPT)) + 1
    scores = scores[:, :kept] / np.sqrt(variances[0])
    wanted = COMPONENTS_A_CLASS * (int(index.max()) + 1)
    components = max(1, min(wanted, len(rows) // FEWEST_ITEMS_A_COMPONENT, len(np.unique(scores, axis=0))))
    mixture = GaussianMixture(components, covariance_type="diag", random_state=seed)
    with blas_threads(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an unfinished mixture is a mixture still
        posterior = mixture.fit(scores).predict_proba(scores)
    return leep(posterior / posterior.sum(axis=1, keepdims=True), index)
