"""Which y goes with which x, where one does: found on some rows, believed for what it explains on others."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.array_types import Doubles, WholeNumbers
from mitools.estimators.warnings import SINGLE_PRECISION_NATS

SETTLED_SHARE = 0.98
"""Share of rows for which other rows must have found the same partner for the partners to be known."""

STDERRS_OF_A_COPY = 3.0
"""Standard errors by which partners must raise the likelihood of held-out rows to be believed."""

_MAP_FOLDS = 5
_EM_STEPS = 100
_TINY = np.finfo(np.float64).tiny


class Partners(NamedTuple):
    """The symbol of y that goes with each symbol of x, where one does.

    Attributes
    ----------
    of_x
        Shape (K,): the partner's number; -1 without one.
    weight
        Share of the rows that show it by more than chance.
    background
        Shape (K,): how often each y occurs in the other rows, parts of a row as well.
    same_symbols
        Whether a symbol's partner is itself.
    settled
        Whether the partners are known for certain, or are the symbols themselves.
    """

    of_x: WholeNumbers
    weight: float
    background: Doubles
    same_symbols: bool
    settled: bool


def find_partners(x: WholeNumbers, y: WholeNumbers, symbols: int, seed: int) -> Partners | None:
    """Find what y each x goes with: itself if that explains held-out rows best, else the most frequent one.

    Parameters
    ----------
    x, y
        Shape (n,), numbers 0..K-1 in an alphabet that both sides share.
    symbols
        K.
    seed
        Of the folds: partners are learnt on other rows than those that say how often they are met.

    Returns
    -------
    Partners or None
        None where they explain no more than chance.
    """
    fold = np.random.default_rng([seed, 2]).permutation(len(x)) % _MAP_FOLDS
    learnt, held_out = most_frequent(x, y, symbols), np.empty_like(x)
    for k in range(_MAP_FOLDS):
        held_out[fold == k] = most_frequent(x[fold != k], y[fold != k], symbols)[x[fold == k]]
    itself = np.arange(symbols)
    settled = bool(np.mean(held_out == learnt[x]) >= SETTLED_SHARE)
    best, most = None, SINGLE_PRECISION_NATS
    for of_x, at_rows, same in [(itself, x, True), (learnt, held_out, False)]:
        weight, background, gains = _mixture(at_rows == y, y, symbols)
        clear = gains.mean() - STDERRS_OF_A_COPY * gains.std() / np.sqrt(len(x))
        if clear > most:
            best, most = Partners(of_x, weight, background, same, same or settled), clear
    return best


def most_frequent(x: WholeNumbers, y: WholeNumbers, symbols: int) -> WholeNumbers:
    """Give each x its most frequent y, shape (K,); -1 where x does not occur or no y recurs with it.

    Parameters
    ----------
    x, y
        Shape (n,), numbers 0..K-1.
    symbols
        K.
    """
    keys, counts = np.unique(x * symbols + y, return_counts=True)
    of_x, of_y = np.divmod(keys, symbols)
    found = np.full(symbols, -1)
    order = np.argsort(counts, kind="stable")  # what is written last, the greatest count, stays
    found[of_x[order]] = np.where(counts > 1, of_y, -1)[order]
    return found


def _mixture(hit: NDArray[np.bool_], y: WholeNumbers, symbols: int) -> tuple[float, Doubles, Doubles]:
    """Fit the weight of the partner against a background by expectation-maximisation.

    Returns
    -------
    tuple[float, Doubles, Doubles]
        The weight; the counts of the background, shape (K,); and the gain in log-likelihood over the
        background alone, shape (n,), nats.
    """
    weight, others = float(hit.mean()), np.bincount(y, minlength=symbols).astype(np.float64)
    background = by_itself = others / len(y)
    for _ in range(_EM_STEPS):
        own = np.where(hit, weight, 0.0)
        by_partner = own / np.maximum(own + (1 - weight) * background[y], _TINY)
        weight = min(float(by_partner.mean()), 1 - 0.5 / len(y))
        others = np.bincount(y, 1 - by_partner, minlength=symbols).astype(np.float64)
        background = (others + 0.5 * by_itself) / (others.sum() + 0.5)
    gains = np.log(np.where(hit, weight, 0.0) + (1 - weight) * background[y]) - np.log(by_itself[y])
    return weight, others, gains
