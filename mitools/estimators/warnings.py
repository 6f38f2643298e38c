"""When a reading deserves care: the rules that turn numbers into warnings."""

import math
from statistics import NormalDist

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import EstimateWarning, Interval

INTERVAL_CONFIDENCE = 0.95
"""How often an interval is to hold the truth."""

OVERFIT_SHARE = 0.2
"""Share of a reading by which training and report items may differ before the critic counts as overfitted."""

SATURATED_SHARE = 0.9
"""Share of its ceiling from which a reading counts as saturated."""

STDERRS_ABOVE_BLIND = 2.0
"""Standard errors by which a critic must beat a blind one on *select* to have learnt anything."""

SINGLE_PRECISION_NATS = 1e-6
"""Nats below which single-precision scores and posteriors resolve nothing; part of every standard error."""


BIAS_LEFT_PER_RISE = 1 / (2**0.5 - 1)
"""What is left of a bias that falls like ``n**-0.5``, per nat that the second half of the rows took off."""


def two_sided(nats: float, stderr: float) -> Interval:
    """Give the normal 95% interval around a reading, in nats."""
    reach = NormalDist().inv_cdf(0.5 + INTERVAL_CONFIDENCE / 2) * stderr
    return Interval(nats - reach, nats + reach, INTERVAL_CONFIDENCE)


def one_sided_low(nats: float, stderr: float) -> float:
    """Give the limit that lies below what is read in 95% of repetitions, in nats."""
    return nats - NormalDist().inv_cdf(INTERVAL_CONFIDENCE) * stderr


def find_warnings(
    interval: Interval,
    nats: float,
    *,
    null: Interval,
    ceiling: float | None = None,
    pairs_raise_ceiling: bool = True,
    entropy: float | None = None,
    train_nats: float | None = None,
    still_rising: bool = False,
) -> tuple[EstimateWarning, ...]:
    """Apply the rules of honesty to a reading.

    Parameters
    ----------
    interval, nats
        The reading and its interval, in nats.
    null
        The interval of the same method on permuted pairs.
    ceiling, entropy
        What the method can at most return, and what no truth exceeds, in nats.
    pairs_raise_ceiling
        Whether twice as many pairs would raise the ceiling: not where they are read in blocks.
    train_nats
        The same reading on training items.
    still_rising
        Whether fitting ended because its steps did, before *select* had settled.
    """
    found: list[EstimateWarning] = []
    if ceiling is not None and nats > SATURATED_SHARE * ceiling:
        found.append(
            EstimateWarning(
                "saturated",
                f"the reading is {nats / ceiling:.0%} of the method's ceiling; the truth may be higher",
                ("report more pairs, or " if pairs_raise_ceiling else "")
                + "take a method with a higher ceiling or none",
            )
        )
    if entropy is not None and nats > entropy + SINGLE_PRECISION_NATS:
        excess = nats_to_bits(nats - entropy)
        found.append(
            EstimateWarning(
                "exceeds_entropy",
                f"the reading is {excess:.3g} bits above the entropy, which no truth exceeds",
                "take the entropy for the limit, or a proven lower bound for the reading",
            )
        )
    # A null that happens to read below 0 makes nothing of a reading of 0.
    if interval.low <= max(0.0, null.high):
        found.append(
            EstimateWarning(
                "indistinguishable_from_zero",
                "the interval reaches what pairs without information read",
                "give more items before anything is concluded from the number",
            )
        )
    # Below a hundredth of a nat, twenty per cent is noise in either number.
    if train_nats is not None and abs(train_nats - nats) > max(
        OVERFIT_SHARE * max(abs(nats), abs(train_nats)), 0.01
    ):
        share = abs(train_nats - nats) / max(abs(nats), abs(train_nats), math.ulp(1.0))
        found.append(
            EstimateWarning(
                "overfit",
                f"training and report items disagree by {share:.0%}",
                "give more items, or a smaller critic or a simpler classifier",
            )
        )
    if still_rising:
        found.append(
            EstimateWarning(
                "still_rising",
                "the value on select was still rising when the steps ended",
                "raise max_steps",
            )
        )
    return tuple(found)
