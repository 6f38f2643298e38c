"""Same-class composites: bits behind a binary symmetric channel, each shown as a sample of its class."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from mitools.core.entropy import LOG2, entropy
from mitools.core.errors import InputError
from mitools.datasets.known_information.base import Rows, Truth


def shared_bits(bits: int, flip: float) -> float:
    """Give the bits that survive a binary symmetric channel: ``bits (1 - H2(flip))``.

    Parameters
    ----------
    bits
        Independent fair bits sent.
    flip
        Probability with which each is flipped, at most 1/2.
    """
    return bits * (1 - entropy([flip, 1 - flip]) / LOG2)


def flip_probability(bits: int, shared: float) -> float:
    """Give the flip probability at which `shared` of the `bits` survive; undoes :func:`shared_bits`.

    Raises
    ------
    InputError
        When more would survive than is sent, or less than nothing.

    Examples
    --------
    >>> round(flip_probability(bits=10, shared=5.0), 4)
    0.11
    """
    if not 0 <= shared <= bits:
        raise InputError(f"of {bits} bits {shared:g} cannot be shared; ask for 0 to {bits}")
    if shared in (0, bits):
        return 0.5 if shared == 0 else 0.0
    return float(brentq(lambda flip: shared_bits(bits, flip) - shared, 0.0, 0.5, xtol=1e-15))


@dataclass(frozen=True, eq=False)
class CompositeItems:
    """Which items make up each composite, for images or anything else that is kept elsewhere.

    Attributes
    ----------
    x_items, y_items
        Shape (n, bits), int64: item numbers; bit k of composite i is shown by item ``x_items[i, k]``.
    x_bits, y_bits
        Shape (n, bits), int64: the bits shown.
    """

    x_items: NDArray[np.int64]
    y_items: NDArray[np.int64]
    x_bits: NDArray[np.int64]
    y_bits: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BinaryComposites:
    """Rows put together from labelled features, so that they share a chosen number of bits.

    Bits B are drawn, each fair; B' is B with each bit flipped with probability `flip`. X shows every bit
    of B by a random row of its class, Y every bit of B' likewise and independently, side by side. As
    ``X - B - B' - Y`` is a Markov chain, ``I(X;Y) <= I(B;B') = bits (1 - H2(flip))`` by data processing,
    and the two are equal when a row determines its class: when no row occurs in both classes.

    Attributes
    ----------
    features
        Shape (items, d).
    labels
        Shape (items,).
    bits
        Bits, and so rows side by side, in X and in Y.
    flip
        Probability with which a bit is flipped, at most 1/2.
    classes
        The labels that show 0 and 1; may be left out when there are two.

    Raises
    ------
    InputError
        When the shapes do not agree, a class is missing or there is no bit.

    Examples
    --------
    >>> pool = BinaryComposites(np.arange(6.0)[:, None], [0, 0, 0, 1, 1, 1], bits=4, flip=0.11)
    >>> x, y = pool.draw(100, np.random.default_rng(0))
    >>> x.shape, round(pool.truth.bits, 2)
    ((100, 4), 2.0)
    """

    features: NDArray[np.floating]
    labels: ArrayLike
    bits: int
    flip: float
    classes: tuple[object, object] | None = None

    def __post_init__(self) -> None:
        if np.ndim(self.features) != 2 or len(self.features) != np.size(self.labels):
            raise InputError(
                f"features of shape {np.shape(self.features)} and labels of shape {np.shape(self.labels)}:"
                " give (items, d) and (items,)"
            )
        _check_channel(self.bits, self.flip)
        _items_by_class(self.labels, self.classes)

    @property
    def d_x(self) -> int:
        """Dimensions of X: those of a row, once a bit."""
        return self.bits * self.features.shape[1]

    @property
    def d_y(self) -> int:
        """Dimensions of Y."""
        return self.d_x

    @cached_property
    def truth(self) -> Truth:
        """``bits (1 - H2(flip))``: exact for these rows, or a limit when both classes share a row."""
        zeros, ones = (self.features[items] for items in _items_by_class(self.labels, self.classes))
        shared = len(np.unique(zeros, axis=0)) + len(np.unique(ones, axis=0)) > len(
            np.unique(np.concatenate([zeros, ones]), axis=0)
        )
        source = f"{self.bits} bits through a binary symmetric channel"
        return Truth(shared_bits(self.bits, self.flip) * LOG2, source, is_limit=shared)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shape (n, bits * d) each."""
        drawn = draw_composites(self.labels, self.bits, self.flip, n, rng, self.classes)
        x, y = (self.features[items].reshape(n, self.d_x) for items in (drawn.x_items, drawn.y_items))
        return x, y


def draw_composites(
    labels: ArrayLike,
    bits: int,
    flip: float,
    n: int,
    rng: np.random.Generator,
    classes: tuple[object, object] | None = None,
) -> CompositeItems:
    """Choose the items of n composites; see :class:`BinaryComposites`.

    Parameters
    ----------
    labels
        Shape (items,).
    bits, flip
        Bits of a composite, and the probability with which each is flipped on the way to Y.
    n
        Composites.
    rng
        Draws the bits, the flips and the items.
    classes
        The labels that show 0 and 1; may be left out when there are two.

    Raises
    ------
    InputError
        When a class is missing or there is no bit.
    """
    _check_channel(bits, flip)
    groups = _items_by_class(labels, classes)
    x_bits = rng.integers(0, 2, (n, bits))
    y_bits = x_bits ^ (rng.random((n, bits)) < flip)

    def show(shown: NDArray[np.int64]) -> NDArray[np.int64]:
        chosen = np.stack([group[rng.integers(0, len(group), shown.shape)] for group in groups])
        return np.where(shown == 0, chosen[0], chosen[1])

    return CompositeItems(show(x_bits), show(y_bits), x_bits, y_bits)


def _items_by_class(
    labels: ArrayLike, classes: tuple[object, object] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise InputError(f"labels have shape {array.shape}, but one label an item is needed")
    if classes is None:
        found = np.unique(array)
        if len(found) != 2:
            raise InputError(f"there are {len(found)} classes; name the two that show 0 and 1")
        classes = (found[0], found[1])
    zeros, ones = (np.flatnonzero(array == label) for label in classes)
    for label, items in zip(classes, (zeros, ones), strict=True):
        if len(items) == 0:
            raise InputError(f"no item has the label {label!r}")
    if classes[0] == classes[1]:
        raise InputError(f"the label {classes[0]!r} cannot show both bits; name two classes")
    return zeros, ones


def _check_channel(bits: int, flip: float) -> None:
    if bits < 1 or not 0 <= flip <= 0.5:
        raise InputError(f"bits={bits} must be at least 1 and flip={flip:g} in [0, 1/2]")
