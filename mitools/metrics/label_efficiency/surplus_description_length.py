"""Surplus description length: what learning costs beyond a loss that is good enough."""

import numpy as np

from mitools.core.entropy import nats_to_bits
from mitools.metrics.label_efficiency.curve import LossDataCurve


def surplus_description_length(curve: LossDataCurve, epsilon_nats: float) -> float:
    """Sum over training labels of the loss beyond epsilon, in bits; lower is better, 0 the least.

    ``sum_i max(L(i) - epsilon, 0)`` with L(i) the loss on new items after i labels, constant between the
    sizes of the curve. Where the loss never reaches epsilon the sum over the labels that are there is a lower
    bound of it, as the authors have it.

    Parameters
    ----------
    curve
        Of the features.
    epsilon_nats
        The loss that is good enough; the same for all that are compared.

    References
    ----------
    Whitney et al. 2020, Definition 4.

    Examples
    --------
    >>> curve = LossDataCurve(np.array([0, 4, 8]), np.log([2, 2, 1]), np.zeros(2), np.log(2))
    >>> surplus_description_length(curve, 0.0)  # one bit for each of eight labels, then nothing
    8.0
    """
    surplus = np.maximum(curve.loss_nats[:-1] - epsilon_nats, 0.0)
    return nats_to_bits(float(np.diff(curve.sizes) @ surplus))
