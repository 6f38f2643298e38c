"""Mutual information of symbols few of whose pairs recur, with what can and cannot be told from them."""

import time
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Interval
from mitools.estimators.array_types import WholeNumbers
from mitools.estimators.base import MIEstimator
from mitools.estimators.classical.dirichlet_entropy import entropy_posterior
from mitools.estimators.classical.discrete import read_symbols
from mitools.estimators.classical.pair_prior import PairPrior, pair_prior
from mitools.estimators.classical.partners import find_partners
from mitools.estimators.classical.predictive_coding import PredictiveCoding
from mitools.estimators.inputs.symbols import numbered_together, symbol_values
from mitools.estimators.inputs.validation import same_length
from mitools.estimators.warnings import INTERVAL_CONFIDENCE, find_warnings, two_sided

FEWEST_COINCIDENCES = 10
"""Rows that repeat an earlier pair below which nothing is concluded about H(X,Y): its relative error is about
one over the root of their number (Nemenman 2011)."""

STDERRS_OF_GIVING_UP = 3.0
"""Standard errors by which the posterior mean must exceed its prior's centre to have left it."""


class NSBEstimator(MIEstimator):
    """``H(X) + H(Y) - H(X,Y)`` of symbols by Nemenman, Shafee and Bialek, made for rows fewer than pairs.

    Each entropy is a posterior mean under Dirichlet priors of every concentration, weighted so that no value
    of the entropy is preferred. With a uniform centre that fails for pairs, whose probabilities are far from
    one size: a noisy copy of 300 symbols in 2,000 rows reads 3.4 nats where 2.2 are true. So the prior of the
    pairs is centred on the simplest distribution that could be behind them
    (Archer, Park & Pillow 2013): independent sides, and, where that explains held-out rows better, a share
    of the rows in which y is the *partner* of x: the same symbol, or the one most frequent beside it. If the
    rows recur as the centre says, the posterior contracts to it; if they recur more often, it gives up the
    centre.

    *Interval.* It spans what the rows do not exclude, each with 1.96 standard errors: the information of the
    centre itself; the posterior mean; and, where partners had to be learnt from few rows or the centre was
    given up, the posterior about independent sides and what counting reads, which is on the high side. The
    last case is told by ``undersampled``. The interval's lower end is at least that of
    :class:`PredictiveCoding`. With fewer than ten rows that repeat an earlier pair there is no interval.

    How many symbols there are is estimated from those seen once and twice (Chao 1984).

    Parameters
    ----------
    seed
        Of the folds in which partners are learnt, and of the permuted rows of the null.

    Attributes
    ----------
    estimate_
        The reading of the last fit. Its settings say which ``partners`` were found, in which
        ``partner_share`` of the rows, how many ``coincidences`` there are, and what is certified.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> x = rng.integers(0, 100, 2000)
    >>> y = np.where(rng.random(2000) < 0.5, rng.integers(0, 100, 2000), x)  # truth: 1.637 nats
    >>> low, high, _ = NSBEstimator().estimate(x, y).interval_nats
    >>> bool(low < 1.637 < high), bool(high - low < 0.4)
    (True, True)
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Estimate I(X;Y) from paired rows.

        Parameters
        ----------
        x, y
            Symbols: whole numbers or strings, shape (n,), or rows of whole numbers, shape (n, d).

        Raises
        ------
        InputError
            When the values are no symbols, the lengths differ, or there are fewer than ten rows.
        """
        started = time.perf_counter()
        values = symbol_values(x, "x"), symbol_values(y, "y")
        n = len(values[0])
        same_length(n, len(values[1]), "x", "y")
        if n < 10:
            raise InputError(f"{n} rows are too few for nsb; give at least ten")
        of_x, of_y, symbols = numbered_together(*values)
        found = _read_symbols(of_x, of_y, symbols, self.seed)
        permuted = of_y[np.random.default_rng([self.seed, 1]).permutation(n)]
        null = _read_symbols(of_x, permuted, symbols, self.seed)
        certified = PredictiveCoding(self.seed).fit(*values).estimate_
        least = two_sided(certified.nats, certified.stderr_nats or 0.0).low
        # Below what is certified lies nothing; but the reading itself is never left outside.
        low = min(max(found.low, least), found.nats)
        interval = Interval(low, max(found.high, least), INTERVAL_CONFIDENCE)
        coincidences = n - len(np.unique(of_x * symbols + of_y))
        warnings = _undersampled(interval, found, coincidences, n, certified.bits)
        told = coincidences >= FEWEST_COINCIDENCES
        if told:
            # The interval allows for the prior's pull on independent sides, and so is held against 0 itself.
            warnings = find_warnings(interval, found.nats, null=two_sided(0.0, 0.0)) + warnings
        self.estimate_ = Estimate(
            method="nsb",
            kind="point estimate",
            nats=found.nats,
            stderr_nats=found.stderr if told else None,
            interval_nats=interval if told else None,
            entropy_nats=min(found.entropies),
            null_nats=null.nats,
            n_report=n,
            seconds=time.perf_counter() - started,
            settings=self.settings()
            | {
                "symbols_x": len(np.unique(of_x)),
                "symbols_y": len(np.unique(of_y)),
                "coincidences": coincidences,
                "partners": found.partners,
                "partner_share": found.partner_share,
                "certified_bits": certified.bits,
                "certified_low_bits": nats_to_bits(least),
            },
            warnings=warnings,
        )
        return self


class _Reading(NamedTuple):
    nats: float
    stderr: float
    low: float
    high: float
    entropies: tuple[float, float]
    partners: str = "none"
    partner_share: float = 0.0
    by_prior: bool = False


def _read_symbols(x: WholeNumbers, y: WholeNumbers, symbols: int, seed: int) -> _Reading:
    """Read about the partners; where these are uncertain, about independent sides as well."""
    if (x == x[0]).all() or (y == y[0]).all():
        return _Reading(0.0, 0.0, 0.0, 0.0, (0.0, 0.0))
    partners = find_partners(x, y, symbols, seed)
    prior = pair_prior(x, y, symbols, partners)
    nats, error = _about(prior)
    ends = [two_sided(nats, error), two_sided(prior.nats, prior.stderr_nats)]
    # More recurs than the centre explains, and one concentration for all pairs describes that badly.
    given_up = nats - prior.nats > STDERRS_OF_GIVING_UP * error
    settled = partners is None or partners.settled
    if not settled:
        alone, alone_error = _about(pair_prior(x, y, symbols, None))
        ends.append(two_sided(alone, alone_error))
        nats, error = (nats + alone) / 2, max(error, alone_error)
    by_prior = given_up or not settled
    if by_prior:
        # Counting errs on the high side as long as pairs are few.
        counted = read_symbols(_numbered(x), _numbered(y), "grassberger")[0]
        ends.append(two_sided(counted.nats, counted.stderr))
    low, high = min(end.low for end in ends), max(end.high for end in ends)
    if partners is None:
        return _Reading(nats, error, low, high, prior.entropies, by_prior=by_prior)
    kind = "same symbol" if partners.same_symbols else "most frequent"
    return _Reading(nats, error, low, high, prior.entropies, kind, partners.weight, by_prior)


def _about(prior: PairPrior) -> tuple[float, float]:
    """Posterior mean and error of I(X;Y) about a centre, nats."""
    posterior = entropy_posterior(prior.cells)
    nats = sum(prior.entropies) - posterior.nats
    return nats, float(np.hypot(posterior.deviation, prior.stderr_nats))


def _numbered(symbols: WholeNumbers) -> WholeNumbers:
    return np.unique(symbols, return_inverse=True)[1].astype(np.int64)


def _undersampled(
    interval: Interval, found: _Reading, coincidences: int, n: int, certified_bits: float
) -> tuple[EstimateWarning, ...]:
    remedy = "give more rows, put rare symbols together, or take the lower bound predictive_coding"
    if coincidences < FEWEST_COINCIDENCES:
        sentence = (
            f"of {n:,} rows {coincidences} repeat an earlier pair of symbols: beyond the"
            f" {certified_bits:.3g} bits that are certified nothing can be told"
        )
        return (EstimateWarning("undersampled", sentence, remedy),)
    if found.by_prior:
        sentence = (
            "few pairs of symbols recur, and these as no simple prior expects: the rows allow"
            f" {nats_to_bits(interval.low):.3g} to {nats_to_bits(interval.high):.3g} bits"
        )
        return (EstimateWarning("undersampled", sentence, remedy),)
    return ()
