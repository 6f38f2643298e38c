"""Two views of one item as a positive pair, over features of shape (n, V, d)."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.array_types import RowNumbers
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.pairs import permuted_within
from mitools.views.base import View
from mitools.views.registry import OWN, VIEWS, make_view
from mitools.views.specs import view_family


def paired_view(name: str, pairings: Iterable[str] = ()) -> View:
    """Make the view that a pairing is named after: a pair is two draws of it.

    Parameters
    ----------
    name
        As :func:`mitools.views.registry.make_view` reads it: ``simclr?strength=0.5``.
    pairings
        The other names that would have been accepted; for the error.

    Raises
    ------
    InputError
        When there is no such view, or nothing in it is random, so that its draws are one and the same.

    Examples
    --------
    >>> paired_view("simclr?strength=0.5").draws
    13
    """
    family, pairings = view_family(name), list(pairings)
    if family in pairings:
        raise InputError(f"pairing {name!r}: {family} takes no options")
    if family != OWN:
        check_name("pairing", family, [*pairings, *VIEWS, f"{OWN}:module:View"])
    view = make_view(name)
    if view.draws == 0:
        raise InputError(
            f"pairing {name!r}: nothing in this view is random, so a pair would be one view twice;"
            " take one with random draws, as simclr"
        )
    return view


class ViewPairs:
    """The pairing of augmentation: two different views of one image (Lee et al., Fig. 1b).

    Tables are the features flattened to (n V, d): view v of item i is row ``i * V + v``.

    Parameters
    ----------
    n_items, n_views
        n and V.
    strata
        Shape (n,), classes to spread evenly over the parts, where known.
    partner
        Shape (n,): whose view stands on the other side of the pair; the item's own when None.
    groups
        Shape (n,): items that depend on each other; None where every item stands alone.

    Raises
    ------
    InputError
        When there are fewer than two views.
    """

    entropy_nats: float | None = None
    diagonal_is_marginal = False

    def __init__(
        self,
        n_items: int,
        n_views: int,
        strata: NDArray[np.int64] | None = None,
        partner: RowNumbers | None = None,
        groups: Groups | None = None,
    ) -> None:
        if n_views < 2:
            raise InputError(f"pairs of views need at least two views an image, not {n_views}")
        self.n_items, self.n_views, self.strata = n_items, n_views, strata
        self.n_rows = n_items * n_views
        self.partner = np.arange(n_items) if partner is None else partner
        self.groups = groups

    def groups_of_pairs(self, x: RowNumbers) -> Groups | None:
        """Give the group of each pair's item, shape (n,)."""
        return None if self.groups is None else self.groups[x // self.n_views]

    def within(self, items: RowNumbers) -> "_ItemViews":
        """Restrict the pairing to some of the items."""
        return _ItemViews(items, self.partner[items], self.n_views)

    def permuted(self, parts: Parts, rng: np.random.Generator) -> "ViewPairs":
        """Pair views of different items, within each part."""
        partner = permuted_within(self.partner, parts, rng)
        return ViewPairs(self.n_items, self.n_views, self.strata, partner, self.groups)


class _ItemViews:
    def __init__(self, items: RowNumbers, partners: RowNumbers, n_views: int) -> None:
        self.items, self.partners, self.n_views = items, partners, n_views

    def draw(self, count: int, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        return self._views(rng.choice(len(self.items), count, replace=count > len(self.items)), rng)

    def independent(self, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        return self._views(np.arange(len(self.items)), rng)

    def _views(self, chosen: RowNumbers, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        first = rng.integers(0, self.n_views, len(chosen))
        second = (first + rng.integers(1, self.n_views, len(chosen))) % self.n_views
        return self.items[chosen] * self.n_views + first, self.partners[chosen] * self.n_views + second
