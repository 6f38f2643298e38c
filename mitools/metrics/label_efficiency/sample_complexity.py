"""Epsilon sample complexity: how many labels it takes to reach a loss that is good enough."""

import math

import numpy as np

from mitools.metrics.label_efficiency.curve import LossDataCurve


def sample_complexity(curve: LossDataCurve, epsilon_nats: float) -> float:
    """Fewest training labels at which the loss on new items is at most epsilon; lower is better.

    Between two sizes of the curve the loss is taken as linear in the logarithm of the size. Where epsilon is
    never reached, the number of labels that are there, which is a lower bound. Where the first training set,
    two labels a class, reaches it, that number: at most so many are needed. 0 where no label is needed.

    Parameters
    ----------
    curve
        Of the features.
    epsilon_nats
        The loss that is good enough; the same for all that are compared.

    References
    ----------
    Whitney et al. 2020, Definition 5.

    Examples
    --------
    >>> curve = LossDataCurve(np.array([0, 4, 8]), np.array([0.7, 0.5, 0.1]), np.zeros(2), np.log(2))
    >>> round(sample_complexity(curve, 0.3), 2)  # half of the way from 4 to 8, in logarithms
    5.66
    """
    reached = np.flatnonzero(curve.loss_nats <= epsilon_nats)
    if len(reached) == 0:
        return float(curve.sizes[-1])
    first = int(reached[0])
    if first <= 1:
        return float(curve.sizes[first])
    above, below = curve.loss_nats[first - 1], curve.loss_nats[first]
    share = (above - epsilon_nats) / (above - below)
    low, high = np.log(curve.sizes[first - 1 : first + 1])
    return math.exp(low + share * (high - low))
