"""What a reading would become with more images, by what it gained from the second half of those there are."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.estimate import EstimateWarning, Interval
from mitools.estimators.automatic.half_rows import Rise
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.warnings import BIAS_LEFT_PER_RISE, INTERVAL_CONFIDENCE, two_sided
from mitools.statistics.paired_differences import compare


def with_more_images(whole: Reading, half: Reading) -> Reading:
    """Give where a reading ends if what it lacks falls like one over the square root of the images.

    Both readings are of the same items, so that the error of where they lead to is that of the items'
    influence on both together: what is hard about an item for both takes part once.

    Parameters
    ----------
    whole, half
        Of the same held-out items, by networks that were fitted to all other images and to half of them.

    Examples
    --------
    >>> one = np.array([-0.5, 0.5])
    >>> found = with_more_images(Reading(2.0, one), Reading(1.9, one))
    >>> round(found.nats, 3), found.influence
    (2.241, array([-0.5,  0.5]))
    """
    left = BIAS_LEFT_PER_RISE
    return whole._replace(
        nats=whole.nats + left * (whole.nats - half.nats),
        influence=whole.influence + left * (whole.influence - half.influence),
    )


def rise_of(whole: Reading, half: Reading) -> Rise:
    """Say what a reading gained from the second half of the images, and how surely."""
    gained = whole.influence - half.influence
    stderr = float(np.linalg.norm(gained)) / len(gained)
    return Rise(half.nats, whole.nats, stderr, same_pairs=True)


def difference_interval(a: Reading, b: Reading, halves: tuple[Reading, Reading] | None) -> Interval:
    """Give the interval of a - b, in bits: paired over the items, and reaching to where the two lead.

    The difference of two lower bounds is no bound: it may fall as well as rise with more images.

    Parameters
    ----------
    a, b
        Readings of the same items.
    halves
        The same by networks that were fitted to half of the images; None where these are too few, which
        leaves the interval that of the items.
    """
    found = _paired(a, b)
    if halves is None:
        return found
    further = _paired(*map(with_more_images, (a, b), halves))
    return Interval(min(found.low, further.low), max(found.high, further.high), found.confidence)


def _paired(a: Reading, b: Reading) -> Interval:
    row = compare({"a": a, "b": b}).iloc[0]
    return Interval(float(row["low_bits"]), float(row["high_bits"]), INTERVAL_CONFIDENCE)


def label_up_to(whole: Reading, half: Reading | None, entropy_limit: float) -> float:
    """Give the upper end of what is not excluded of I(v;y), in nats.

    Parameters
    ----------
    whole, half
        As for :func:`with_more_images`; `half` is None where half of the images were too few.
    entropy_limit
        No information about the label lies above it, in nats.

    Returns
    -------
    float
        The greater of the reading's own upper limit and of the limit of what it would become, up to the
        entropy.
    """
    own = two_sided(whole.nats, whole.stderr).high
    if half is None or rise_of(whole, half).is_steep:
        return max(own, entropy_limit)
    further = with_more_images(whole, half)
    return max(own, min(two_sided(further.nats, further.stderr).high, entropy_limit))


def shared_up_to(whole: Reading, half: Reading | None, pairs: int) -> float | None:
    """Give the upper end of what is not excluded of I(v1;v2), in nats.

    Parameters
    ----------
    whole, half
        As for :func:`with_more_images`, of InfoNCE; `half` is None where half of the images were too few.
    pairs
        On which InfoNCE is read as one batch.

    Returns
    -------
    float or None
        At least 0, which no information lies below. None where no end is told: half of the images were too
        few; the reading rises like log n; or its end lies at the ceiling.
    """
    if half is None or rise_of(whole, half).is_steep:
        return None
    further = with_more_images(whole, half)
    limits = [two_sided(reading.nats, reading.stderr).high for reading in (whole, further)]
    return beyond_ceiling(max(0.0, *limits), pairs)


def beyond_ceiling(nats: float, pairs: int) -> float | None:
    """Give the information of which InfoNCE on so many pairs reads `nats`, at its best.

    Where the ratio of densities is r for every pair that belongs together, and 1 on average for others, the
    best critic, log r, reads ``log r - log((r + K - 1) / K)`` or more on average (from Poole et al. 2019,
    Eq. 10). Ratios that vary cost more.

    Parameters
    ----------
    nats
        InfoNCE by the best critic.
    pairs
        K.

    Returns
    -------
    float or None
        None from the ceiling, log K, on.

    Examples
    --------
    >>> truth = np.log(16.0)
    >>> read = truth - np.log((16 + 99) / 100)
    >>> round(beyond_ceiling(read, 100) - truth, 9)
    0.0
    """
    room = pairs - math.exp(nats)
    return nats + math.log((pairs - 1) / room) if room > 0 else None


def entropy_limit(labels: NDArray[np.int64], independent: int) -> float:
    """Give the upper limit of the entropy of what labels were drawn from, in nats.

    To the entropy of the counted shares are added its standard error, and what it lacks where shares are
    equal, ``chi2 / 2n`` of one degree of freedom less than there are classes; it ends at the log of their
    number.

    Parameters
    ----------
    labels
        Shape (n,), classes 0..C-1.
    independent
        How many of them are: the number of groups.

    Examples
    --------
    >>> entropy_limit(np.array([0, 1, 0, 1]), 4) == math.log(2)
    True
    """
    shares = np.bincount(labels) / len(labels)
    surprise = -np.log(shares[shares > 0])
    found = entropy(shares)
    variance = max(0.0, float(shares[shares > 0] @ np.square(surprise)) - found**2)
    confidence = 0.5 + INTERVAL_CONFIDENCE / 2
    lacks = float(chi2.ppf(confidence, max(1, len(shares) - 1))) / (2 * independent)
    return min(math.log(len(shares)), two_sided(found + lacks, math.sqrt(variance / independent)).high)


def rise_warnings(rise: Rise | None) -> tuple[EstimateWarning, ...]:
    """Say that a reading rises with the number of images, where chance does not explain it."""
    if rise is None or not rise.is_clear or rise.nats < 0:
        return ()
    sentence = (
        f"fitted to half of the images it reads {nats_to_bits(rise.half):.3g} bits and to all"
        f" {nats_to_bits(rise.whole):.3g}: with more images it would read more"
    )
    return (EstimateWarning("rises_with_n", sentence, "give more images"),)
