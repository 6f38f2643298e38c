"""Same-class sampling: two images of one class, nothing else shared (Lee et al., Sec. III-A)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.array_types import RowNumbers
from mitools.estimators.dependence.dependent_rows import DEPENDENCE_WORDS
from mitools.estimators.inputs.class_prior import Prior, class_prior
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.inputs.validation import as_labels
from mitools.estimators.pairs import permuted_within


class SameClassPairs:
    """The pairing X <- C -> Y: a class from the prior, then two of its images independently.

    Parameters
    ----------
    labels
        Shape (n_items,).
    prior
        ``empirical``, ``uniform``, or one probability a class.
    groups
        Shape (n_items,): images that depend on each other, and so form no pair; None where every one stands
        alone.

    Attributes
    ----------
    prior
        Shape (C,).
    entropy_nats
        H(C), which the true I_class(X;Y) never exceeds (Proposition III.1).

    Notes
    -----
    Independent pairs are dealt with fixed class counts, not with random ones. InfoNCE's negatives are then
    a little too typical, and with an ideal critic it reads high by a term that falls like 1 / n pairs: on
    overlapping classes 0.04 nats with a single pair a class, 0.01 with five, 0.002 with 25, always far
    below the standard error.
    """

    diagonal_is_marginal = True

    def __init__(self, labels: ArrayLike, prior: Prior = "empirical", groups: Groups | None = None) -> None:
        self.labels = as_labels(labels)
        self.groups = groups
        self.prior = class_prior(self.labels, prior)
        self.n_items = self.n_rows = len(self.labels)
        self.strata = self.labels
        self.entropy_nats: float = entropy(self.prior)

    def within(self, items: RowNumbers) -> "_ClassMembers":
        """Restrict the pairing to some of the images.

        Raises
        ------
        InputError
            When a class has fewer than two of them.
        """
        if self.groups is None:
            return _ClassMembers(items, self.labels[items], self.prior)
        return _GroupedMembers(items, self.labels[items], self.prior, self.groups)

    def groups_of_pairs(self, x: RowNumbers) -> Groups | None:
        """Give the group of each pair's first image, shape (n,): its second is of another, paired with it."""
        return None if self.groups is None else self.groups[x]

    def permuted(self, parts: Parts, rng: np.random.Generator) -> "SameClassPairs":
        """Permute the labels within each part: pairs then share nothing."""
        return SameClassPairs(permuted_within(self.labels, parts, rng), self.prior, self.groups)


class _ClassMembers:
    def __init__(self, items: RowNumbers, labels: NDArray[np.int64], prior: NDArray[np.float64]) -> None:
        self.members = items[np.argsort(labels, kind="stable")]
        self.counts = np.bincount(labels, minlength=len(prior))
        self.first = np.cumsum(self.counts) - self.counts
        self.prior = prior
        if self.counts.min() < 2:
            raise InputError(
                f"class {self.counts.argmin()} has {self.counts.min()} images in one part, but a same-class"
                " pair needs two; add images or leave the class out"
            )

    def draw(self, count: int, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        c = rng.choice(len(self.prior), count, p=self.prior)
        x = rng.integers(0, self.counts[c])
        y = (x + rng.integers(1, self.counts[c])) % self.counts[c]
        return self._chosen(c, x, y, rng)

    def _chosen(
        self, c: RowNumbers, x: RowNumbers, y: RowNumbers, rng: np.random.Generator
    ) -> tuple[RowNumbers, RowNumbers]:
        """Give the rows of pairs of members of classes, x-th and y-th of theirs."""
        return self.members[self.first[c] + x], self.members[self.first[c] + y]

    def independent(self, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        """Pair items up within their classes, none twice; see :class:`.PairSource`."""
        # As many disjoint pairs as fit while every class keeps its share of the prior, on average: shares
        # are rounded up or down by one draw for all (systematic sampling), and so is their sum.
        n_pairs = self._shares(self.counts // 2, rng)
        x, y = [], []
        for first, count, pairs in zip(self.first, self.counts, n_pairs, strict=True):
            chosen = rng.permutation(self.members[first : first + count])[: 2 * pairs]
            x.append(chosen[:pairs])
            y.append(chosen[pairs:])
        return np.concatenate(x), np.concatenate(y)

    def _shares(self, at_most: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Give the pairs of every class, shape (C,): as many as fit while the prior is kept."""
        most = (at_most / self.prior).min()
        edges = np.floor(np.cumsum(np.append(rng.random(), most * self.prior)) + 1e-9).astype(int)
        n_pairs = np.minimum(np.diff(edges), at_most)
        return n_pairs if n_pairs.sum() >= 2 else np.maximum(n_pairs, 1)


REDRAWN_AT_MOST = 16
"""How often the second image of a training pair is drawn anew where it is of the first one's group."""


class _GroupedMembers(_ClassMembers):
    """Pairs of two groups; for the sample a number is reported on, no group is in two pairs of groups."""

    def __init__(
        self, items: RowNumbers, labels: NDArray[np.int64], prior: NDArray[np.float64], groups: Groups
    ) -> None:
        super().__init__(items, labels, prior)
        self.groups = groups

    def _chosen(
        self, c: RowNumbers, x: RowNumbers, y: RowNumbers, rng: np.random.Generator
    ) -> tuple[RowNumbers, RowNumbers]:
        """Give the rows of pairs; the second is drawn anew where it is of the first one's group."""
        first, second = super()._chosen(c, x, y, rng)
        for _ in range(REDRAWN_AT_MOST):
            kin = np.flatnonzero(self.groups[first] == self.groups[second])
            if not len(kin):
                break
            second[kin] = self.members[self.first[c[kin]] + rng.integers(0, self.counts[c[kin]])]
        return first, second

    def independent(self, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        """Pair groups up within their classes, those of like size, and their images one by one."""
        paired = [
            self._of_class(first, count, rng) for first, count in zip(self.first, self.counts, strict=True)
        ]
        n_pairs = self._shares(np.array([len(x) for x, _ in paired]), rng)
        x, y = zip(*((x[:n], y[:n]) for (x, y), n in zip(paired, n_pairs, strict=True)), strict=True)
        return np.concatenate(x), np.concatenate(y)

    def _of_class(self, first: int, count: int, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        members = rng.permutation(self.members[first : first + count])
        group = np.unique(self.groups[members], return_inverse=True)[1]
        members = members[np.argsort(group, kind="stable")]
        sizes = np.bincount(group)
        start = np.cumsum(sizes) - sizes
        # Neighbours in the order of size, ties broken at random; an odd one out has no partner.
        order = np.lexsort((rng.random(len(sizes)), sizes))
        a, b = (order[len(order) % 2 :][side::2] for side in (0, 1))
        shuffled = rng.permutation(len(a))
        a, b = a[shuffled], b[shuffled]
        both = np.minimum(sizes[a], sizes[b])
        within = np.arange(both.sum()) - np.repeat(np.cumsum(both) - both, both)
        return members[np.repeat(start[a], both) + within], members[np.repeat(start[b], both) + within]


IDENTIFIED_FROM = 0.9
"""Share of H(C) that must be certified before an interval that reaches H(C) identifies the truth: an
interval that holds nearly everything reaches H(C) too, and identifies nothing."""


class Bracket(NamedTuple):
    """Where the true same-class information lies.

    Attributes
    ----------
    low_nats
        The lower limit of the bound's interval.
    high_nats
        H(C).
    identified
        Whether the interval reaches H(C), from a lower limit of at least 0.9 H(C): the truth then *is*
        H(C) as far as the data can tell. Never where rows were found that are not independent.
    independent
        Whether nothing speaks against rows that are independent; else nothing is certified.
    """

    low_nats: float
    high_nats: float
    identified: bool
    independent: bool = True

    def __str__(self) -> str:
        low, high = nats_to_bits(self.low_nats), nats_to_bits(self.high_nats)
        if self.identified:
            return f"identified: I_class = H(C) = {high:.3f} bits, the interval [{low:.3f}, ...] reaches it"
        if not self.independent:
            return f"only if the rows were independent: I_class lies in [{low:.3f}, {high:.3f}] bits"
        return f"bracketed: I_class lies in [{low:.3f}, {high:.3f}] bits"


def bracket(estimate: Estimate) -> Bracket:
    """Apply Proposition III.1 and Theorem III.1 of Lee et al. to an estimate of I_class.

    A lower bound that reaches H(C) identifies the truth, since I_hat <= I_class <= H(C); one that does not
    leaves it between the two.

    Parameters
    ----------
    estimate
        From same-class pairs.

    Raises
    ------
    InputError
        When the estimate is no proven lower bound, or has no interval or entropy: no certificate rests on
        an asymptotic bound such as NT-Xent's, which can exceed H(C).
    """
    if estimate.kind != "lower bound":
        raise InputError(f"{estimate.method} is no proven lower bound ({estimate.kind}); it brackets nothing")
    if estimate.entropy_nats is None or estimate.interval_nats is None:
        raise InputError(f"{estimate.method} has no interval or no entropy; it brackets nothing")
    low, high, _ = estimate.interval_nats
    h_c = estimate.entropy_nats
    independent = not any(warning.word in DEPENDENCE_WORDS for warning in estimate.warnings)
    identified = independent and high >= h_c and low >= IDENTIFIED_FROM * h_c
    return Bracket(low, h_c, identified, independent)
