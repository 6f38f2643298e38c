"""NESum: the eigenvalues of the features' covariance, each as a share of the largest, summed."""

from mitools.metrics.spectrum.singular_values import Spectrum


def nesum(spectrum: Spectrum) -> float:
    """Sum of ``lambda_k / lambda_1`` over the eigenvalues of the covariance, from 1 to min(n - 1, d).

    1 where the features have collapsed onto a line, d where they are white. 0 where all rows are alike.

    Parameters
    ----------
    spectrum
        Of the features.

    References
    ----------
    He and Ozay, "Exploring the Gap between Collapsed & Whitened Features in Self-Supervised Learning", ICML
    2022, section 4.

    Examples
    --------
    >>> nesum(Spectrum.of([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    1.25
    """
    eigenvalues = spectrum.centred**2
    return float(eigenvalues.sum() / eigenvalues[0]) if eigenvalues[0] > 0 else 0.0
