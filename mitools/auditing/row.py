"""One row of ``results.csv``: which columns it has, and in which order."""

from collections.abc import Sequence
from typing import Any

from mitools.core.estimate import Estimate
from mitools.core.result_store import Values
from mitools.measures.measured import Difference, Measured
from mitools.measures.registry import MEASURES
from mitools.pairing.same_class import bracket

CONTROL_COLUMNS = (
    "control_i_class_bits",
    "control_i_class_low",
    "control_i_class_high",
    "control_gain_bits",
    "control_gain_low",
    "control_gain_high",
)
"""What the untrained twin reads, and how much more the encoder does on the same items; empty without one."""

SILENT = ("control_i_class",)
"""Estimates whose warnings are no news: little is what is hoped for there."""


def layout(place: Values, measured: Measured, seconds: float) -> Values:
    """Lay out one row.

    Parameters
    ----------
    place
        Which encoder and layer of which data it is of: the first columns.
    measured
        Every number of it.
    seconds
        What it took.
    """
    i_class = measured.estimates["i_class"]
    row: Values = place | {
        "h_c_bits": i_class.entropy_bits,
        "i_class_identified": bracket(i_class).identified,
    }
    further = [name for name in measured.numbers if name not in MEASURES]  # named after other views
    for name in (*MEASURES, *further):
        if name in measured.numbers:
            row |= columns(name, measured[name])
    row |= {column: row.get(column) for column in CONTROL_COLUMNS}
    row["seconds"] = seconds
    row["warnings"] = _warnings(measured)
    return row


def columns(name: str, number: Estimate | Difference | float) -> dict[str, Any]:
    """Lay out one number: a column, or three where there is an interval."""
    if not isinstance(number, Estimate | Difference):
        return {name: number}
    low, high = number.interval_bits[:2] if number.interval_bits else (None, None)
    return {f"{name}_bits": number.bits, f"{name}_low": low, f"{name}_high": high}


def _warnings(measured: Measured) -> str:
    words: dict[str, Sequence[str]] = {
        name: [warning.word for warning in estimate.warnings]
        for name, estimate in measured.estimates.items()
        if name not in SILENT
    }
    words |= measured.warnings
    return "; ".join(f"{subject}: {', '.join(found)}" for subject, found in words.items() if found)
