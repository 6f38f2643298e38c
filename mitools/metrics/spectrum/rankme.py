"""RankMe: the effective rank of features as they are."""

from mitools.metrics.spectrum.singular_values import Spectrum, entropy_rank


def rankme(spectrum: Spectrum) -> float:
    """Smooth rank of the features, from 1 (all on one line through the origin) to min(n, d).

    ``exp(-sum_k p_k log p_k)`` with ``p_k = sigma_k / sum(sigma) + 1e-7``, sigma the singular values of the
    rows as they are, not centred. Higher goes with better linear probes among encoders of one method (Garrido
    et al.). ``effective_rank`` of an audit is the same of centred rows, without the offset.

    Parameters
    ----------
    spectrum
        Of the features.

    References
    ----------
    Garrido, Balestriero, Najman and LeCun, "RankMe", ICML 2023, Eq. 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> round(rankme(Spectrum.of(np.eye(8))), 3)
    8.0
    """
    return entropy_rank(spectrum.raw)
