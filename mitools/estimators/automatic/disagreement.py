"""Readings of the same pairs that disagree are shown as a range, not as the greatest of them."""

from collections.abc import Mapping

from mitools.core.estimate import Estimate, EstimateWarning
from mitools.estimators.automatic.choice import STDERRS_OF_CLEARLY_MORE, Choice, joint_error

SHARE_IN_AGREEMENT = 0.03
"""Share of the greater of two readings by which they may differ beside their standard errors."""


def agree(found: Estimate, other: Estimate) -> bool:
    """Whether two readings differ by no more than their errors, and a small share, explain."""
    allowed = STDERRS_OF_CLEARLY_MORE * joint_error(found, other)
    allowed += SHARE_IN_AGREEMENT * max(abs(found.nats), abs(other.nats))
    return abs(found.nats - other.nats) <= allowed


def with_range(choice: Choice, others: Mapping[str, Estimate]) -> Choice:
    """Let the interval of a reading that no other one agrees with reach down to the next below it.

    Parameters
    ----------
    choice
        Of an estimator whose reading exceeds the others.
    others
        What else was read of the same pairs, by name; a certified bound is among them where there is one.
        What lies below what another reading certifies is no witness.
    """
    found = choice.estimator.estimate_
    if not others or any(agree(found, other) for other in others.values()):
        return choice
    below = {name: other for name, other in others.items() if other.nats < found.nats}
    if not below:
        return choice
    name, next_below = max(below.items(), key=lambda item: item[1].nats)
    low = next_below.nats if next_below.interval_nats is None else next_below.interval_nats.low
    sentence = (
        f"{found.method} reads {found.bits:.3g} bits and no other method agrees: {name}, the next, reads"
        f" {next_below.bits:.3g}, and the interval spans both"
    )
    remedy = "take the lower end for what is safe; give more rows, or the method that suits your data"
    return choice._replace(
        warnings=(*choice.warnings, EstimateWarning("methods_disagree", sentence, remedy)),
        down_to=low if choice.down_to is None else min(low, choice.down_to),
    )
