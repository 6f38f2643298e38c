"""H-score with shrinkage: how much of the features' covariance lies between the classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.estimators.inputs.validation import as_labels, as_rows, same_length
from mitools.metrics.transferability.principal_scores import PrincipalScores


def h_score(features: ArrayLike, labels: ArrayLike) -> float:
    """Trace of the between-class covariance, measured in the features' own; higher is better.

    ``tr(S_a^-1 (1 - a) S_b)``: S_b the covariance of the class means, S_a the features' covariance shrunk by
    Ledoit and Wolf's a towards a multiple of the identity. From 0 to min(d, C - 1).

    Parameters
    ----------
    features
        Shape (n, d); a constant column counts for nothing.
    labels
        Shape (n,).

    Raises
    ------
    InputError
        When the input is malformed or the lengths differ.

    References
    ----------
    Bao et al., "An Information-Theoretic Approach to Transferability", ICIP 2019, Definition 2; Ibrahim,
    Ponomareva and Mazumder, "Newer is not always better", ECML 2022, Eq. 9, for the shrinkage.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(600) % 3
    >>> perfect = np.eye(3)[labels] + 1e-3 * rng.standard_normal((600, 3))
    >>> bool(1.9 < h_score(perfect, labels) <= 2)
    True
    """
    rows, index = as_rows(features, "features").astype(np.float64), as_labels(labels)
    same_length(len(rows), len(index), "features", "labels")
    rows -= rows.mean(axis=0)
    rows = rows[:, rows.any(axis=0)]
    if rows.shape[1] == 0:
        return 0.0
    scores, variances = PrincipalScores.of(rows)
    shrinkage = _shrinkage(variances, (scores**2).sum(axis=1), rows.shape[1])
    counts = np.bincount(index)
    means = np.zeros((len(counts), len(variances)))
    np.add.at(means, index, scores)
    means /= counts[:, None]
    shrunk = (1 - shrinkage) * variances + shrinkage * variances.sum() / rows.shape[1]
    return float((1 - shrinkage) * (counts / len(rows)) @ (means**2 / shrunk).sum(axis=1))


def _shrinkage(variances: NDArray[np.float64], squares: NDArray[np.float64], d: int) -> float:
    """Ledoit and Wolf's intensity (J. Multivariate Analysis 2004, Eq. 14), in the basis of the eigenvectors.

    `variances` are the covariance's eigenvalues, `squares` the rows' squared lengths, shape (n,).
    """
    n, of_squares = len(squares), float((variances**2).sum())
    spread = of_squares - float(variances.sum()) ** 2 / d  # of the covariance about its target
    error = (float((squares**2).mean()) - of_squares) / n
    return min(error / spread, 1.0) if spread > 0 else 0.0
