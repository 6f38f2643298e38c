"""What changed between two checkpoints, read on the same images: differences with paired intervals."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitools.analyses.cui2022.checkpoint_values import CheckpointValues
from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.warnings import INTERVAL_CONFIDENCE
from mitools.metrics.transfer import Right
from mitools.statistics.paired_differences import compare

SOURCE_DATA = "source"
"""Name of the data trained for, in every table."""

VANILLA, CTC = "vanilla", "ctc"
"""Names of the two runs: cross-entropy alone, and CTC."""

TRANSFER_QUANTITIES = ("frozen_acc", "logistic_acc")
"""Both classifiers on frozen features: a change of transfer counts where they agree."""

COMPARED_QUANTITIES = (*TRANSFER_QUANTITIES, "input_bits", "label_bits")
"""What is compared: both transfer accuracies, I(X;T) and I(T;Y)."""

FALL_QUESTION, SECOND_STAGE_QUESTION, REMEDY_QUESTION = (
    "vanilla, best to last",
    "ctc, border to last",
    "ctc minus vanilla, last",
)
"""The three questions."""

ValuesByCheckpoint = Mapping[tuple[str, int], CheckpointValues]
"""By run and epoch."""


class Change(NamedTuple):
    """A difference of two readings on the same images.

    Attributes
    ----------
    difference, low, high
        In bits, or as a share of the items; a 95% interval over images.
    """

    difference: float
    low: float
    high: float


def paired_change(quantity: str, one: CheckpointValues, other: CheckpointValues) -> Change:
    """Compare two checkpoints on one data set: `one` minus `other`."""
    match quantity:
        case "frozen_acc":
            return accuracy_change(one.frozen, other.frozen)
        case "logistic_acc":
            return accuracy_change(one.logistic, other.logistic)
        case "input_bits":
            readings = [Reading.of(p.input_information, p.input_influence) for p in (one, other)]
        case _:
            readings = [Reading.of(p.label_information, p.label_influence) for p in (one, other)]
    pair = compare({"one": readings[0], "other": readings[1]}).iloc[0]
    return Change(*(float(pair[name]) for name in ("difference_bits", "low_bits", "high_bits")))


def accuracy_change(one: Right, other: Right) -> Change:
    """Compare two classifiers on the same items.

    Half an item is added to each of the four cells of right and wrong (Agresti & Min 2005), so that two
    classifiers that never differ on n items still have an interval.
    """
    n = len(one) + 2
    gained, lost = int((one & ~other).sum()), int((other & ~one).sum())
    difference = (gained - lost) / n
    stderr = math.sqrt((gained + lost + 1) / n - difference**2) / math.sqrt(n)
    return _around(difference, stderr)


def mean_over_images(values: NDArray[np.float64]) -> Change:
    """Average one value an image, shape (n,), with a 95% interval."""
    return _around(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values)))


def _around(middle: float, stderr: float) -> Change:
    reach = NormalDist().inv_cdf((1 + INTERVAL_CONFIDENCE) / 2) * stderr
    return Change(middle, middle - reach, middle + reach)


def paired_changes(points: Mapping[str, ValuesByCheckpoint], border: int) -> pd.DataFrame:
    """Answer the three questions on every data set.

    Where vanilla training was best is chosen on *select* (by I(T;Y) for accuracies and I(T;Y), by I(X;T)
    for itself, among trained checkpoints), so that the difference, which is read on *report*, is
    not large only because it was chosen.

    Parameters
    ----------
    points
        By data set; ``source`` is the one trained for.
    border
        The epoch at which CTC's second stage begins.

    Returns
    -------
    pandas.DataFrame
        ``question``, ``data``, ``quantity``, ``from_epoch``, ``to_epoch``, ``difference``, ``low``, ``high``
        and ``n``; the last two questions have the later run or epoch first. Both ends are NaN where a run
        would be compared with itself, for it is best at its end.
    """
    rows: list[dict[str, Any]] = []
    for data, found in points.items():
        last = max(epoch for _, epoch in found)
        for quantity in COMPARED_QUANTITIES:
            best = best_epoch(quantity, found)
            pairs = {
                FALL_QUESTION: ((VANILLA, last), (VANILLA, best)),
                SECOND_STAGE_QUESTION: ((CTC, last), (CTC, border)),
                REMEDY_QUESTION: ((CTC, last), (VANILLA, last)),
            }
            for question, (one, other) in pairs.items():
                made = (
                    Change(0.0, math.nan, math.nan)
                    if one == other
                    else paired_change(quantity, found[one], found[other])
                )
                rows.append(
                    {
                        "question": question,
                        "data": data,
                        "quantity": quantity,
                        "from_epoch": other[1],
                        "to_epoch": one[1],
                        **made._asdict(),
                        "n": len(found[one].frozen),
                    }
                )
    return pd.DataFrame(rows)


def changes_over_seeds(by_seed: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Average the answers of several seeds; those of one seed keep their intervals over images.

    Parameters
    ----------
    by_seed
        As :func:`paired_changes` gives them, with the same questions for every seed.

    Returns
    -------
    pandas.DataFrame
        The same columns, and ``latest_from_epoch`` and ``seeds``: the mean of the seeds' differences with
        Student's interval. The best epoch may be another one for each seed: they lie from ``from_epoch`` to
        ``latest_from_epoch``.
    """
    if len(by_seed) == 1:
        (only,) = by_seed.values()
        return only.assign(latest_from_epoch=only["from_epoch"], seeds=1)
    together = pd.concat(by_seed.values(), ignore_index=True)
    rows: list[dict[str, Any]] = []
    for (question, data, quantity), own in together.groupby(["question", "data", "quantity"], sort=False):
        mean = over_seeds(own["difference"])
        is_compared = bool(own["low"].notna().any())
        rows.append(
            {
                "question": question,
                "data": data,
                "quantity": quantity,
                "from_epoch": int(own["from_epoch"].min()),
                "to_epoch": int(own["to_epoch"].max()),
                "difference": mean.mean,
                "low": mean.low if is_compared else math.nan,
                "high": mean.high if is_compared else math.nan,
                "n": int(own["n"].min()),
                "latest_from_epoch": int(own["from_epoch"].max()),
                "seeds": len(own),
            }
        )
    return pd.DataFrame(rows)


def best_epoch(quantity: str, found: ValuesByCheckpoint, run: str = VANILLA) -> int:
    """Pick the trained epoch of a run with the highest reading on *select*.

    Parameters
    ----------
    quantity
        Of :data:`COMPARED_QUANTITIES`: I(X;T) is chosen by itself, all others by I(T;Y).
    found
        One data set's checkpoints.
    run
        Whose.
    """
    epochs = sorted(epoch for name, epoch in found if name == run and epoch > 0)
    column = "input_select_nats" if quantity == "input_bits" else "label_select_nats"
    readings = [getattr(found[run, epoch], column) for epoch in epochs]
    return epochs[int(np.argmax(readings))]
