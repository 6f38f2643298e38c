"""The participation ratio: how many principal components share the variance."""

from mitools.metrics.spectrum.singular_values import Spectrum


def participation_ratio(spectrum: Spectrum) -> float:
    """Give ``(sum lambda)^2 / sum lambda^2`` of the covariance's eigenvalues, from 1 to min(n - 1, d).

    k where k components have equal variance and the others none. 0 where all rows are alike.

    Parameters
    ----------
    spectrum
        Of the features.

    References
    ----------
    Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement", bioRxiv 2017, Eq. 5.

    Examples
    --------
    >>> round(participation_ratio(Spectrum.of([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])), 4)
    1.4706
    """
    eigenvalues = spectrum.centred**2
    total = float(eigenvalues.sum())
    return total**2 / float((eigenvalues**2).sum()) if total > 0 else 0.0
