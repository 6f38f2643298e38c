"""Missing information, sweet spot, excess: what intervals say of two views (Tian et al. 2020, Sec. 3.2)."""

from collections.abc import Sequence
from typing import NamedTuple

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import Estimate, Interval

FIT_SHARE = 0.05
"""Share by which a reading must fall short for information to be called missing. Intervals are those of the
items; two networks that were fitted to draws of one view of CIFAR-10 read up to 0.037 of I(x;y) apart. How
often claims are right: ``mitools run regime_claims``."""


class Regime(NamedTuple):
    """What may be said of two views.

    Attributes
    ----------
    name
        ``missing information``, ``excess``, ``missing information and excess``, ``sweet spot`` where neither
        is seen, or ``cannot be told`` where what the image says of the label is not told apart from nothing,
        or a reading has no interval or is no lower bound.
    sentence
        The same with its numbers, for people.
    """

    name: str
    sentence: str


def regime_of(
    shared: Estimate,
    shared_up_to: float | None,
    image: Estimate,
    image_up_to: float,
    same_label: Estimate,
    lacks: Sequence[Interval],
) -> Regime:
    """Name the regime of two views.

    In the paper's words, views that share less than the task needs miss information, and what they share
    beyond it is noise to the task. Readings are lower bounds by networks of one size and on so many images.
    Of what is claimed to be more, the certified lower limit counts; of what is claimed to be less, the upper
    end of what is not excluded, which includes what more images would add. *Missing* is claimed where the
    same network reads less of the label off a view than off the image, by an interval of their difference
    that lies above :data:`FIT_SHARE` of the latter; or where the views share less, by as much again, than two
    images that have nothing but their label in common are seen to share. *Excess* is claimed where the views
    are seen to share more than the networks may read of the label off the image, of any number of images.
    Claims speak of what networks of this size read in so many steps; the sentence says so where fits were
    still rising.

    Parameters
    ----------
    shared, shared_up_to
        I(v1;v2) by a lower bound, and the upper end of what is not excluded, in nats; None where no end is
        told.
    image, image_up_to
        I(x;y), and the same.
    same_label
        What two images of one label share, by the certificate: at most I(x;y).
    lacks
        I(x;y) - I(v;y) of either view, in bits: see :func:`.difference_interval`.
    """
    if image.has_warning("indistinguishable_from_zero"):
        return Regime(
            "cannot be told",
            "nothing of the label is read off the images themselves; give more items or larger networks",
        )
    rising = any(one.has_warning("still_rising") for one in (shared, image))
    end = "; fits were still improving when their steps ended" if rising else ""
    x, pair, s = image.interval_bits, same_label.interval_bits, shared.interval_bits
    if x is None or pair is None or s is None or shared.kind != "lower bound":
        return Regime(
            "cannot be told",
            "claims need lower bounds with intervals, which there are not; read I(v1;v2) by infonce",
        )
    s_up_to = None if shared_up_to is None else nats_to_bits(shared_up_to)
    x_up_to = nats_to_bits(image_up_to)
    of_label = f"such networks may read of the label from the image ({x.low:.2f} to {x_up_to:.2f})"
    said, missing = [], False
    for number, lack in enumerate(lacks, start=1):
        if lack.low > FIT_SHARE * image.bits:
            missing = True
            said.append(
                f"such networks read {lack.low:.2f} to {lack.high:.2f} bits less of the label off view"
                f" {number} than off the image"
            )
    if s_up_to is not None and s_up_to < (1 - FIT_SHARE) * min(x.low, pair.low):
        missing = True
        said.append(
            f"the views share {s.low:.2f} to {s_up_to:.2f} bits, less than the {pair.low:.2f} to"
            f" {pair.high:.2f} of two images of one label"
        )
    excess = s.low > x_up_to
    if excess:
        more = f"the views share at least {s.low - x_up_to:.2f} bits more than {of_label}"
        if image.entropy_bits is not None and s.low > image.entropy_bits:
            more += f", and at least {s.low - image.entropy_bits:.2f} more than the label's entropy"
        said.append(more)
    if not said:
        share = f"{s.low:.2f} bits or more" if s_up_to is None else f"{s.low:.2f} to {s_up_to:.2f} bits"
        return Regime(
            "sweet spot",
            f"neither loss of label information nor excess is seen: the views share {share}, beside"
            f" {pair.low:.2f} to {pair.high:.2f} of two images of one label and what {of_label}{end}",
        )
    names = [name for name, is_so in [("missing information", missing), ("excess", excess)] if is_so]
    return Regime(" and ".join(names), "; ".join(said) + end)
