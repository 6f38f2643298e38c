"""Cluster learnability: how fast a nearest-neighbour classifier learns the features' own clusters."""

import math

import numpy as np
from numpy.typing import ArrayLike

from mitools.backends.threads import blas_threads
from mitools.estimators.inputs.validation import as_rows

BLOCK = 1024
"""Rows whose distances to all earlier ones are held at once."""


def cluster_learnability(features: ArrayLike, clusters: int | None = None, seed: int = 0) -> float:
    """Prequential accuracy of the nearest earlier item, on labels that k-means gives, from 0 to 1.

    Items come in a random order; each is given the cluster of its nearest predecessor. Lu et al. add its
    z-score over the encoders compared to that of the intrinsic dimension: CLID.

    Parameters
    ----------
    features
        Shape (n, d). Time grows with n^2.
    clusters
        Of k-means; the root of n, rounded, when None.
    seed
        Of the order and of k-means.

    References
    ----------
    Lu et al., "Using Representation Expressiveness and Learnability to Evaluate Self-Supervised Learning
    Methods", TMLR 2023, section 3. The number of clusters is ours.

    Examples
    --------
    >>> tight = np.repeat(np.eye(4), 25, axis=0) + 1e-3 * np.random.default_rng(0).random((100, 4))
    >>> cluster_learnability(tight, clusters=4) > 0.95  # only the first of a cluster can be wrong
    True
    """
    from sklearn.cluster import KMeans

    rows = np.random.default_rng(seed).permutation(as_rows(features, "features")).astype(np.float64)
    rows -= rows.mean(axis=0)
    n = len(rows)
    wanted = min(clusters or max(2, round(math.sqrt(n))), len(np.unique(rows, axis=0)))
    if wanted < 2:  # all alike: the first item is a guess, and no other can be wrong
        return 1 - 1 / n
    # k-means runs its own OpenMP threads; BLAS threads inside its small products only wait for each other.
    with blas_threads(1):
        cluster = KMeans(wanted, n_init=1, random_state=seed).fit_predict(rows)
    squares = np.einsum("ij,ij->i", rows, rows)
    hits = 0
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        distance = squares[:stop] - 2 * rows[start:stop] @ rows[:stop].T  # less its own square: same order
        distance[np.arange(stop)[None] >= np.arange(start, stop)[:, None]] = np.inf
        nearest = distance.argmin(axis=1)
        right = cluster[nearest] == cluster[start:stop]
        hits += int(right[1:].sum() if start == 0 else right.sum())
    return hits / n
