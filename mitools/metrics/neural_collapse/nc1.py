"""NC1: how much items vary within a class, in units of how far class means lie from each other."""

import math

import numpy as np

from mitools.metrics.neural_collapse.class_means import ClassMeans

NEGLIGIBLE = 1e-10
"""Share of the largest singular value of the class means below which a direction is rounding error."""


def nc1(means: ClassMeans) -> float:
    """``tr(W pinv(B)) / C``, from 0 (every item at its class mean) upwards.

    W is the covariance within classes, B that of the class means, every class counting the same.

    Parameters
    ----------
    means
        Of the features.

    Returns
    -------
    float
        NaN where all class means are alike.

    References
    ----------
    Papyan, Han and Donoho, "Prevalence of neural collapse during the terminal phase of deep learning
    training", PNAS 2020, section 2.C and Fig. 6.

    Examples
    --------
    >>> rows, labels = np.array([[1.5], [0.5], [-0.5], [-1.5]]), [0, 0, 1, 1]  # W = 1/4, B = 1
    >>> round(nc1(ClassMeans.of(rows, labels)), 6)
    0.125
    """
    _, singular, axes = np.linalg.svd(means.centred, full_matrices=False)
    kept = singular > NEGLIGIBLE * max(singular[0], np.abs(means.overall).max() * 1e-3)
    if not kept.any():
        return math.nan
    axes, variance = axes[kept], singular[kept] ** 2 / means.classes
    weight = 1 / (means.classes * np.bincount(means.labels))
    within = np.zeros(len(axes))
    for places, rows in means.table.chunks():
        own = means.labels[places]
        deviation = (rows - means.overall - means.centred[own]) @ axes.T
        within += weight[own] @ deviation**2
    return float((within / variance).sum() / means.classes)
