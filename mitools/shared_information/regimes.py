"""Missing information, sweet spot, excess: what intervals say of two views (Tian et al. 2020, Sec. 3.2)."""

from collections.abc import Sequence
from typing import NamedTuple

from mitools.core.estimate import Estimate, Interval


class Regime(NamedTuple):
    """What may be said of two views.

    Attributes
    ----------
    name
        ``missing information``, ``excess``, ``missing information and excess``, ``sweet spot`` where neither
        is seen, or ``cannot be told`` where what the image says of the label is not told apart from nothing.
    sentence
        The same with its numbers, for people.
    """

    name: str
    sentence: str


def regime_of(shared: Estimate, image: Estimate, lacks: Sequence[Interval]) -> Regime:
    """Name the regime of two views.

    In the paper's words, views that share less than the task needs miss information, and what they share
    beyond it is noise to the task. Readings are lower bounds by networks of one size, so that *missing* is
    claimed where the same network reads less of the label off a view than off the image, by an interval of
    paired differences that leaves out 0, or where all that the views share is less than that; *excess* where
    the interval of what they share lies above that of what the image says of the label.

    Parameters
    ----------
    shared
        I(v1;v2).
    image
        I(x;y).
    lacks
        I(x;y) - I(v;y) of either view, in bits: intervals of paired differences.
    """
    x, s = _interval(image), _interval(shared)
    if image.has_warning("indistinguishable_from_zero"):
        return Regime(
            "cannot be told",
            "nothing of the label is read off the images themselves; give more items or larger networks",
        )
    of_label = f"{x.low:.2f} to {x.high:.2f} that the image says of the label"
    said, missing = [], False
    for number, lack in enumerate(lacks, start=1):
        if lack.low > 0:
            missing = True
            said.append(
                f"view {number} says {lack.low:.2f} to {lack.high:.2f} bits less of the label than the image"
            )
    if s.high < x.low:
        missing = True
        said.append(f"the views share {s.low:.2f} to {s.high:.2f} bits, less than the {of_label}")
    excess = s.low > x.high
    if excess:
        said.append(f"the views share {s.low - x.high:.2f} bits or more beyond the {of_label}")
        if image.entropy_bits is not None and s.low > image.entropy_bits:
            said.append(f"{s.low - image.entropy_bits:.2f} of them beyond all there is of the label")
    if not said:
        return Regime(
            "sweet spot",
            f"no loss of label information is seen, and the {s.low:.2f} to {s.high:.2f} bits that the views"
            f" share are not told apart from the {of_label}",
        )
    names = [name for name, is_so in [("missing information", missing), ("excess", excess)] if is_so]
    return Regime(" and ".join(names), "; ".join(said))


def _interval(estimate: Estimate) -> Interval:
    interval = estimate.interval_bits
    assert interval is not None, f"{estimate.method} has no interval"
    return interval
