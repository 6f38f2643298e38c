"""What a reading would become with more images, by what it gained from the second half of those there are."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.estimate import EstimateWarning, Interval
from mitools.estimators.automatic.half_rows import Rise
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.warnings import BIAS_LEFT_PER_RISE, INTERVAL_CONFIDENCE, two_sided
from mitools.statistics.paired_differences import compare


class Doubled(NamedTuple):
    """The same held-out items read by networks that were fitted to half of the other images, and to all.

    Attributes
    ----------
    half, whole
        The readings, with the influence of the same items in the same order.
    """

    half: Reading
    whole: Reading

    @property
    def rise(self) -> Rise:
        """What the second half of the images added, and its error: what is hard for both takes no part."""
        gained = self.whole.influence - self.half.influence
        stderr = float(np.linalg.norm(gained)) / len(gained)
        return Rise(self.half.nats, self.whole.nats, stderr, same_pairs=True)


def with_more_images(reading: Reading, doubled: Doubled) -> Reading:
    """Give where a reading ends if what it lacks falls like one over the square root of the images.

    The error of where it ends is that of the items' influence on all that it is made from together: half of
    the images and all are read on the same items, and these are some of those that are reported. What items
    cannot show of the half and of the whole adds to what they cannot show of the reading.

    Parameters
    ----------
    reading
        Pooled over folds.
    doubled
        Of the first fold, whose items stand first in the reading.

    Examples
    --------
    >>> item = np.array([-0.5, 0.5])
    >>> whole, half = Reading(2.0, item), Reading(1.9, item)
    >>> found = with_more_images(whole, Doubled(half, whole))
    >>> round(found.nats, 3), found.influence
    (2.241, array([-0.5,  0.5]))
    """
    influence, first = reading.influence.copy(), len(doubled.half.influence)
    gained = doubled.whole.influence - doubled.half.influence
    # A fold's items weigh more in its own mean than in that of all.
    influence[:first] += BIAS_LEFT_PER_RISE * len(influence) / first * gained
    unseen = reading.unseen + BIAS_LEFT_PER_RISE * math.hypot(doubled.half.unseen, doubled.whole.unseen)
    nats = reading.nats + BIAS_LEFT_PER_RISE * doubled.rise.nats
    return reading._replace(nats=nats, influence=influence, unseen=unseen)


def difference_interval(
    a: Reading, b: Reading, doubled: tuple[Doubled | None, Doubled | None], up_to: tuple[float, float]
) -> Interval:
    """Give the interval of a - b, in bits: paired over the items, and reaching to where the two lead.

    The difference of two lower bounds is no bound: it may fall as well as rise with more images. Where it is
    not told where one of them leads, it may be anything from what it is to its own upper end.

    Parameters
    ----------
    a, b
        Readings of the same items about the label.
    doubled
        Of either; None where half of the images were too few.
    up_to
        Of either, the upper end of what is not excluded, in nats: see :func:`label_up_to`.
    """
    further_a, further_b = map(_where_it_leads, (a, b), doubled)
    found, further = _paired(a, b), _paired(further_a or a, further_b or b)
    low, high = min(found.low, further.low), max(found.high, further.high)
    if further_b is None:
        low = min(low, nats_to_bits(two_sided(a.nats, a.stderr).low - up_to[1]))
    if further_a is None:
        high = max(high, nats_to_bits(up_to[0] - two_sided(b.nats, b.stderr).low))
    return Interval(low, high, found.confidence)


def _where_it_leads(reading: Reading, doubled: Doubled | None) -> Reading | None:
    return None if doubled is None or doubled.rise.is_steep else with_more_images(reading, doubled)


def _paired(a: Reading, b: Reading) -> Interval:
    row = compare({"a": a, "b": b}).iloc[0]
    return Interval(float(row["low_bits"]), float(row["high_bits"]), INTERVAL_CONFIDENCE)


def label_up_to(reading: Reading, doubled: Doubled | None, entropy_limit: float) -> float:
    """Give the upper end of what is not excluded of I(v;y), in nats.

    Parameters
    ----------
    reading, doubled
        As for :func:`with_more_images`; `doubled` is None where half of the images were too few.
    entropy_limit
        No information about the label lies above it, in nats.

    Returns
    -------
    float
        The greater of the reading's own upper limit and of the limit of what it would become, up to the
        entropy.
    """
    own = two_sided(reading.nats, reading.stderr).high
    further = _where_it_leads(reading, doubled)
    if further is None:
        return max(own, entropy_limit)
    return max(own, min(two_sided(further.nats, further.stderr).high, entropy_limit))


def shared_up_to(reading: Reading, doubled: Doubled | None, pairs: int) -> float | None:
    """Give the upper end of what is not excluded of I(v1;v2), in nats.

    Parameters
    ----------
    reading, doubled
        As for :func:`with_more_images`, of InfoNCE; `doubled` is None where half of the images were too few.
    pairs
        On which InfoNCE is read as one batch; with groups, the fewest that a pair is compared with, itself
        among them.

    Returns
    -------
    float or None
        At least 0, which no information lies below. None where no end is told: half of the images were too
        few; the reading rises like log n; or its end lies at the ceiling.
    """
    further = _where_it_leads(reading, doubled)
    if further is None:
        return None
    limits = [two_sided(one.nats, one.stderr).high for one in (reading, further)]
    return beyond_ceiling(max(0.0, *limits), pairs)


def beyond_ceiling(nats: float, pairs: int) -> float | None:
    """Give the information of which InfoNCE on so many pairs reads `nats` at its best, all ratios alike.

    Where the ratio of densities is r for every pair that belongs together, and 1 on average for others, the
    best critic, log r, reads ``log r - log((r + K - 1) / K)`` or more on average (from Poole et al. 2019,
    Eq. 10). Where ratios vary from pair to pair the best critic may lack more than that on average, so that
    the truth may lie higher than what is given.

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


def rise_warnings(doubled: Doubled | None) -> tuple[EstimateWarning, ...]:
    """Say that a reading rises with the number of images, where chance does not explain it."""
    if doubled is None or not doubled.rise.is_clear or doubled.rise.nats < 0:
        return ()
    rise = doubled.rise
    sentence = (
        f"fitted to half of the images it reads {nats_to_bits(rise.half):.3g} bits and to all"
        f" {nats_to_bits(rise.whole):.3g}: with more images it would read more"
    )
    return (EstimateWarning("rises_with_n", sentence, "give more images"),)
