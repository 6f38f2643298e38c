"""What a view is: a function of items and of uniform random numbers."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from mitools.core.own_code import digest_code


@runtime_checkable
class View(Protocol):
    """Turns a batch of items into one view of each, as a pure function of the items and of random numbers.

    Whoever draws views makes the random numbers, so that a view is the same on every device, in every
    process and in every batch. What has these three attributes and can be called is a view; there is nothing
    to inherit from. Four further attributes may be left out. Two are for views of something else than RGB
    pixels: `modality`, what of an item the view is drawn from (:func:`modality_of`), and `rgb`, whether its
    channels are those of RGB pixels (:func:`is_rgb`). The third, `draws_together`, is for views that belong
    together, as two patches at a fixed distance: the same text in all of them, which get the same random
    numbers of an item (:func:`draw_numbers`). The fourth, `digest`, is for views that depend on more than
    their name says, such as weights in a file (:func:`view_key`).

    Attributes
    ----------
    name
        The spec that :func:`mitools.views.registry.make_view` makes an equal view from, with every option
        that is not at its default: ``simclr?strength=0.5``.
    channels
        Of the view.
    draws
        Random numbers an item; 0 for a view in which nothing is random.
    """

    @property
    def name(self) -> str:
        """The spec of the view, in its canonical form."""
        ...

    @property
    def channels(self) -> int:
        """Channels of the view."""
        ...

    @property
    def draws(self) -> int:
        """Random numbers an item."""
        ...

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Make one view of each item.

        Parameters
        ----------
        items
            Shape (B, 3, H, W), float, in [0, 1]: images before they are normalised; or what else the view's
            modality is, as :class:`mitools.datasets.base.MultimodalData` describes it.
        draws
            Shape (B, self.draws), uniform in [0, 1): every random choice. Row i serves item i alone: equal
            draws give equal views, whatever else is in the batch.

        Returns
        -------
        Tensor
            Shape (B, self.channels, H', W'), or (B, T, self.channels, H', W') of a clip, on the device of
            the items; in [0, 1], or about it where the channels have no bounds.
        """
        ...


def modality_of(view: View) -> str:
    """Give what of an item a view is drawn from: ``image`` unless the view says otherwise."""
    return str(getattr(view, "modality", "image"))


def is_rgb(view: View) -> bool:
    """Tell whether a view's channels are red, green and blue, so that networks normalise them as pixels."""
    return bool(getattr(view, "rgb", view.channels == 3 and modality_of(view) == "image"))


def draw_numbers(views: Sequence[View]) -> list[int]:
    """Give the number by which the random numbers of each of an item's views are drawn.

    Views of one number get the same random numbers. A view's number is its own place, unless it is drawn
    together with an earlier one, whose number it then has; where such views come several times, the first of
    one goes with the first of the other, and so on.

    Parameters
    ----------
    views
        All views of an item, in order. Those that are drawn together need equally many random numbers.

    Returns
    -------
    list of int
        One number a view.

    Examples
    --------
    >>> from mitools.views.registry import make_view
    >>> names = ["simclr", "patch?size=8&distance=8#0", "patch?size=8&distance=8#1", "simclr"]
    >>> draw_numbers([make_view(name) for name in names])
    [0, 1, 1, 3]
    """
    times: Counter[str] = Counter()
    first: dict[tuple[str, int], int] = {}
    numbers = []
    for place, view in enumerate(views):
        together = getattr(view, "draws_together", None)
        if together is None:
            numbers.append(place)
        else:
            numbers.append(first.setdefault((together, times[view.name]), place))
            times[view.name] += 1
    return numbers


def view_key(view: View) -> str:
    """Name all that a view depends on, as one line: its name, digests of its weights and of foreign code."""
    return " ".join(filter(None, [view.name, getattr(view, "digest", ""), digest_code(type(view))]))
