"""NC2: whether class means are equally long, and lie at equal angles as far apart as they can."""

import math

import numpy as np

from mitools.metrics.neural_collapse.class_means import ClassMeans


def nc2_norms(means: ClassMeans) -> float:
    """Spread of the lengths of the centred class means, as a share of their mean; 0 where all are equal.

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
    Papyan, Han and Donoho, PNAS 2020, Fig. 2.

    Examples
    --------
    >>> nc2_norms(ClassMeans.of(np.eye(3), [0, 1, 2]))
    0.0
    """
    lengths = np.linalg.norm(means.centred, axis=1)
    return round(float(lengths.std() / lengths.mean()), 15) if lengths.any() else math.nan


def nc2_angles(means: ClassMeans) -> float:
    """Mean distance of the cosines of two centred class means from ``-1 / (C - 1)``; 0 for a simplex.

    Parameters
    ----------
    means
        Of the features.

    Returns
    -------
    float
        Between 0 and 1 + 1 / (C - 1); NaN where a class mean is the mean of all.

    References
    ----------
    Papyan, Han and Donoho, PNAS 2020, Fig. 4 (maximal-angle equiangularity).

    Examples
    --------
    >>> round(nc2_angles(ClassMeans.of(np.eye(3), [0, 1, 2])), 12)
    0.0
    """
    lengths = np.linalg.norm(means.centred, axis=1)
    if not lengths.all():
        return math.nan
    cosine = (means.centred @ means.centred.T) / np.outer(lengths, lengths)
    apart = ~np.eye(means.classes, dtype=bool)
    return float(np.abs(cosine[apart] + 1 / (means.classes - 1)).mean())
