"""What pairs of symbols look like if nothing but their margins, and perhaps a copy, is behind them."""

from typing import NamedTuple, Self

import numpy as np

from mitools.estimators.array_types import Doubles, WholeNumbers
from mitools.estimators.classical.dirichlet_entropy import (
    Cells,
    entropy_posterior,
    richness,
    richness_deviation,
    uniform_cells,
)
from mitools.estimators.classical.partners import Partners
from mitools.estimators.warnings import SINGLE_PRECISION_NATS

MARGIN_BINS = 60
"""Groups of like probability that the symbols of a side are put in."""

CELL_DIGITS = 2
"""Digits of the logarithm of a probability to which cells that were seen are told apart."""

_BISECTIONS = 30
_TINY = np.finfo(np.float64).tiny


class Margin(NamedTuple):
    """The probabilities of one side's symbols, with room for those not seen.

    Attributes
    ----------
    known
        Shape (K,): of the symbols that have a number.
    others
        How many more there may be.
    each
        The probability of each of those.
    deviation
        Posterior standard deviation of the entropy, nats.
    """

    known: Doubles
    others: float
    each: float
    deviation: float

    @property
    def entropy(self) -> float:
        """Nats."""
        unnumbered = self.others * self.each * np.log(self.each) if self.others else 0.0
        return _entropy(self.known) - float(unnumbered)

    @classmethod
    def of(cls, counts: Doubles, richest: float) -> Self:
        """Shrink the observed shares towards uniform ones, until the entropy is the posterior's mean.

        The shrinkage is that of Hausser & Strimmer (2009); its weight is found from the entropy of Nemenman,
        Shafee & Bialek, since shares that are each estimated well may still have too great an entropy
        together.

        Parameters
        ----------
        counts
            Shape (K,): of every symbol that has a number, 0 of those not seen; parts of a count as well.
        richest
            How many symbols there may be; K at least.
        """
        n, k = counts.sum(), max(float(len(counts)), richest)
        wanted = entropy_posterior(uniform_cells(counts[counts > 0], k))
        # What is known to exist has a half count in all at least.
        low, high = 0.5 / (n + 0.5), 1.0
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            shares = (1 - middle) * counts / n + middle / k
            found = cls(shares, k - len(counts), middle / k, wanted.deviation)
            low, high = (middle, high) if found.entropy < wanted.nats else (low, middle)
        return found


class PairPrior(NamedTuple):
    """The centre of a prior over pairs: in some rows y is the partner of x, in others it is drawn by itself.

    Attributes
    ----------
    cells
        All pairs that can occur.
    entropies
        Of x and of y, nats.
    nats
        I(X;Y) if the pairs are as the prior's centre says.
    stderr_nats
        The standard error of that: what these n rows leave open of the margins and the weight.
    """

    cells: Cells
    entropies: tuple[float, float]
    nats: float
    stderr_nats: float


def pair_prior(x: WholeNumbers, y: WholeNumbers, symbols: int, partners: Partners | None) -> PairPrior:
    """Make the prior's centre from the margins of the rows, and the partners if there are any.

    Parameters
    ----------
    x, y
        Shape (n,), numbers 0..K-1.
    symbols
        K.
    partners
        None for independent sides.
    """
    n, sizes = len(x), (symbols, symbols)
    if partners is None or not partners.same_symbols:
        # A symbol of the other side alone is none that this side might have.
        x, y, sizes, partners = _apart(x, y, partners)
    counts_x, counts_y = (
        np.bincount(side, minlength=size).astype(np.float64) for side, size in zip((x, y), sizes, strict=True)
    )
    of_x, of_y = (Margin.of(counts, richness(counts[counts > 0])) for counts in (counts_x, counts_y))
    with_more = richness(counts_y[counts_y > 0]) + richness_deviation(counts_y)
    more_symbols = Margin.of(counts_y, with_more).entropy - of_y.entropy
    background = Margin.of(partners.background, richness(counts_y[counts_y > 0]))
    weight = np.where(partners.of_x >= 0, partners.weight, 0.0)
    alone = of_x.known * (1 - weight)  # the part of p(x) whose y is drawn by itself
    follows = partners.weight if partners.same_symbols else 0.0  # a symbol not seen is copied as well

    def share(first: WholeNumbers, second: WholeNumbers) -> Doubles:
        together = np.where(partners.of_x[first] == second, of_x.known[first] * weight[first], 0.0)
        return together + alone[first] * background.known[second]

    # Pairs that were seen, and partners that were not; all others in groups of like probability.
    keys, seen = np.unique(x * sizes[1] + y, return_counts=True)
    paired = np.flatnonzero(weight > 0)
    missed = np.setdiff1d(paired * sizes[1] + partners.of_x[paired], keys)
    first, second = np.divmod(np.concatenate([keys, missed]), sizes[1])
    counts = np.concatenate([seen, np.zeros(len(missed))])
    shares = share(first, second)
    others, numbers = _other_pairs(first, second, alone, of_x, background, follows)
    others *= max(1 - shares.sum(), 0.0) / max(others @ numbers, _TINY)
    cells = _grouped(counts, shares, others, numbers)

    of_partners = np.bincount(partners.of_x[paired], (of_x.known * weight)[paired], minlength=sizes[1])
    drawn = 1 - of_partners.sum() - of_x.others * of_x.each * follows
    known_y = of_partners + drawn * background.known
    most_y = max(background.others, of_x.others if follows else 0.0)
    made_y = Margin(known_y, most_y, max(1 - known_y.sum(), _TINY) / max(most_y, 1.0), 0.0)
    pointwise = np.log(share(x, y) / of_x.known[x]) - np.log(known_y[y])
    # Of independent sides, what the margins leave open is the same in H(Y) and in H(X,Y), and cancels.
    open_margin = [of_y.deviation, of_y.entropy - made_y.entropy, more_symbols] if len(paired) else []
    stderr = float(np.linalg.norm([pointwise.std() / np.sqrt(n), SINGLE_PRECISION_NATS, *open_margin]))
    entropies = of_x.entropy, of_y.entropy
    joint = -float(cells.symbols @ (cells.shares * np.log(cells.shares)))
    return PairPrior(cells, entropies, sum(entropies) - joint, stderr)


def _apart(
    x: WholeNumbers, y: WholeNumbers, partners: Partners | None
) -> tuple[WholeNumbers, WholeNumbers, tuple[int, int], Partners]:
    """Give each side numbers of its own: x, y, how many symbols each has, and the partners."""
    of_x, x = np.unique(x, return_inverse=True)
    of_y, y = np.unique(y, return_inverse=True)
    sizes = len(of_x), len(of_y)
    if partners is None:
        background = np.bincount(y).astype(np.float64)
        partners = Partners(np.full(sizes[0], -1), 0.0, background, same_symbols=False, settled=True)
    else:
        known = partners.of_x[of_x]
        places = np.where(known >= 0, np.searchsorted(of_y, known), -1)
        partners = partners._replace(of_x=places, background=partners.background[of_y])
    return x.astype(np.int64), y.astype(np.int64), sizes, partners


def _other_pairs(
    first: WholeNumbers,
    second: WholeNumbers,
    alone: Doubles,
    of_x: Margin,
    background: Margin,
    follows: float,
) -> tuple[Doubles, Doubles]:
    """Give the shares and numbers of all pairs but some, in groups, shape (G,) each.

    Parameters
    ----------
    first, second
        Shape (m,): the pairs that are left out.
    alone
        Shape (K_x,): the part of each x whose y is drawn by itself.
    of_x, background
        The margin of x, and of the y that are drawn.
    follows
        The share of the rows in which a symbol without a number is copied.
    """
    bin_x, bin_y = _bins(alone), _bins(background.known)
    size_x, size_y = np.bincount(bin_x), np.bincount(bin_y)
    mean_x, mean_y = np.bincount(bin_x, alone) / size_x, np.bincount(bin_y, background.known) / size_y
    rest = np.outer(size_x, size_y).astype(np.float64)
    np.subtract.at(rest, (bin_x[first], bin_y[second]), 1.0)
    drawn = of_x.each * (1 - follows)
    groups = [
        (np.outer(mean_x, mean_y).ravel(), rest.ravel()),
        (mean_x * background.each, size_x * background.others),
        (mean_y * drawn, size_y * of_x.others),
        (np.array([drawn * background.each]), np.array([of_x.others * background.others])),
        (np.array([of_x.each * follows]), np.array([of_x.others])),
    ]
    shares, numbers = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    real = (shares > 0) & (numbers > 0)
    return shares[real], numbers[real]


def _bins(values: Doubles) -> WholeNumbers:
    """Give groups of like values numbers 0..B-1, shape (K,)."""
    found, where, times = np.unique(values, return_inverse=True, return_counts=True)
    if len(found) > MARGIN_BINS:
        return np.unique((MARGIN_BINS * np.cumsum(times) // (len(values) + 1))[where], return_inverse=True)[1]
    return where


def _grouped(times: Doubles, shares: Doubles, others: Doubles, numbers: Doubles) -> Cells:
    """Group cells of the same count and nearly the same share."""
    counts = np.concatenate([times, np.zeros(len(others))])
    shares, symbols = np.concatenate([shares, others]), np.concatenate([np.ones(len(times)), numbers])
    shares = np.maximum(shares, _TINY)
    rough = np.round(np.log(shares), CELL_DIGITS)
    order = np.lexsort((rough, counts))
    new = np.append(True, (np.diff(counts[order]) != 0) | (np.diff(rough[order]) != 0))
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    size = np.bincount(group, symbols).astype(np.float64)
    return Cells(counts[order][new], np.bincount(group, symbols * shares) / size, size)


def _entropy(shares: Doubles) -> float:
    positive = shares[shares > 0]
    return -float(positive @ np.log(positive))
