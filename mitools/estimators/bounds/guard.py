"""When a bound's sampled normaliser cannot carry it, and what is read in its place."""

import math
from collections.abc import Sequence

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import EstimateWarning
from mitools.estimators.bounds.infonce import pairs_in_block
from mitools.estimators.bounds.reading import Reading

FEWEST_ROWS_OF_NORMALISER = 20.0
"""Effective rows behind a normaliser below which it is not known: its logarithm then has an error of 0.2 nats
or more, which these few rows do not show."""

FEWEST_SHARE_OF_ROWS = 0.25
"""The same for few rows: a share of them."""

MOST_IN_LOG_PAIRS = 2.0
"""What n pairs may read at the most, in log n."""


def is_carried(readings: Sequence[Reading]) -> bool:
    """Whether bounds with a sampled normaliser rest on enough pairs to be believed.

    The normaliser is the mean of ``exp f`` over pairs of the product. Where few rows make up most of it, its
    expectation is not known, and the bound may read anything. How many there are is Kish's effective number,
    ``(sum w)^2 / sum w^2`` of the rows' shares (:attr:`.Reading.normaliser_rows`). Whatever the critic, no
    lower bound of high confidence from n pairs exceeds about log n (McAllester & Stratos 2020, Theorem 1).

    Parameters
    ----------
    readings
        One a fold.
    """
    return all(
        reading.normaliser_rows
        >= min(FEWEST_ROWS_OF_NORMALISER, FEWEST_SHARE_OF_ROWS * len(reading.influence))
        and reading.nats <= MOST_IN_LOG_PAIRS * math.log(len(reading.influence))
        for reading in readings
    )


def few_pairs(method: str, readings: Sequence[Reading], pairs: Sequence[int]) -> EstimateWarning:
    """Say what was read in place of a bound that its pairs did not carry, and what would carry it.

    Parameters
    ----------
    method
        The bound that was asked for.
    readings
        Its readings, one a fold.
    pairs
        Of every fold; readings of groups have no more entries than there are groups.
    """
    rows = min(reading.normaliser_rows for reading in readings)
    n, most = min(pairs), min(map(pairs_in_block, pairs))
    remedy = (
        "give more rows: no lower bound passes about the log of the pairs it is read on, and every bit more"
        " takes twice as many"
    )
    if max(pairs) > most:
        remedy = (
            "more rows do not raise this limit, since InfoNCE reads them in blocks; a smaller critic may be"
            " carried by its normaliser, label_information has no such limit where y are labels, nor have"
            " point estimates such as residuals"
        )
    return EstimateWarning(
        "few_pairs",
        f"the normaliser of {method} rests on {rows:.3g} of {n:,} rows: InfoNCE is read in its place, at most"
        f" log {most:,} = {nats_to_bits(math.log(most)):.3g} bits, and the truth may be higher",
        remedy,
    )
