"""The stable rank of features: a rank that small perturbations do not move."""

from mitools.metrics.spectrum.singular_values import Spectrum


def stable_rank(spectrum: Spectrum) -> float:
    """Squared Frobenius norm over squared spectral norm of the rows as they are, from 1 to min(n, d).

    A large mean counts as a direction, as in RankMe; NESum is the same of centred rows. 0 where all is 0.

    Parameters
    ----------
    spectrum
        Of the features.

    References
    ----------
    Rudelson and Vershynin, "Sampling from large matrices", J. ACM 2007, section 1.

    Examples
    --------
    >>> stable_rank(Spectrum.of([[3.0, 0.0], [0.0, 4.0]]))
    1.5625
    """
    squares = spectrum.raw**2
    return float(squares.sum() / squares[0]) if squares[0] > 0 else 0.0
