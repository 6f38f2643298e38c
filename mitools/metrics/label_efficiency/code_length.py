"""Prequential code length: how many bits the labels cost who has the features and learns as they come."""

from mitools.core.entropy import nats_to_bits
from mitools.metrics.label_efficiency.curve import LossDataCurve


def code_length(curve: LossDataCurve) -> float:
    """Bits for each training label, sent block by block by the probe of all labels before; lower is better.

    The first block costs log2 C a label. Between about 0 and log2 C, and above it where the features mislead.

    Parameters
    ----------
    curve
        Of the features.

    References
    ----------
    Blier and Ollivier, NeurIPS 2018, Eq. 3; Voita and Titov, "Information-Theoretic Probing with Minimum
    Description Length", EMNLP 2020, section 2.2 (online code).

    Examples
    --------
    >>> import numpy as np
    >>> flat = LossDataCurve(np.array([0, 4, 8]), np.log([2, 2, 2]), np.log([2, 2]) * 4, np.log(2))
    >>> code_length(flat)  # nothing learnt: one bit a label
    1.0
    """
    return nats_to_bits(float(curve.code_nats.sum()) / int(curve.sizes[-1]))
