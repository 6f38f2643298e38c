"""What a calibration writes: a table, a figure, the full estimates, and a paragraph that reads them."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mitools.calibration import Calibration
from mitools.core.files import write_text
from mitools.estimators.warnings import SATURATED_SHARE
from mitools.report.figures.calibration import CALIBRATION_COLUMNS, calibration_chart
from mitools.report.figures.columns import column_values
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import method_words
from mitools.report.tables.write import write_csv


class CalibrationReport(NamedTuple):
    """What was found, as numbers and in words.

    Attributes
    ----------
    table
        One row a reading.
    finding
        How far each method's readings lie from the truth.
    setting
        What the composites were made of.
    files
        All that was written.
    """

    table: pd.DataFrame
    finding: str
    setting: str
    files: list[Path]


def write_calibration(calibration: Calibration, out: Path) -> CalibrationReport:
    """Write ``calibration.csv``, ``calibration.json``, and the figure as PNG and SVG.

    Parameters
    ----------
    calibration
        With one method or more.
    out
        Where to.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    table = calibration_table(calibration)
    found, setting = finding(table), calibration_setting(calibration)
    files = [out / "calibration.csv", out / "calibration.json"]
    write_csv(table, files[0])
    document = {
        "data": calibration.data,
        "classes": list(calibration.classes),
        "bits": calibration.bits,
        "n": calibration.n,
        "dimensions": calibration.dimensions,
        "truth_is_limit": calibration.truth_is_limit,
        "finding": found,
        "setting": setting,
        "points": [
            {"truth_bits": point.truth_bits, "estimate": point.estimate.to_dict()}
            for points in calibration.points.values()
            for point in points
        ],
        "failures": dict(calibration.failures),
    }
    write_text(files[1], json.dumps(document, indent=2, allow_nan=False) + "\n")
    said = f"{found}\n{setting}"
    files += write_chart(out / "calibration", calibration_chart, table, said)
    return CalibrationReport(table, found, setting, files)


def finding(table: pd.DataFrame) -> str:
    """Say in plain words, from the numbers, how far each method's readings lie from the truth.

    Parameters
    ----------
    table
        As for :func:`mitools.report.figures.calibration.calibration_chart`.

    Examples
    --------
    >>> table = pd.DataFrame({"method": "infonce", "kind": "lower bound", "truth_bits": [2.0, 8.0]})
    >>> table = table.assign(reading_bits=[1.9, 5.5], low_bits=[1.8, 5.4], high_bits=[2.0, 5.6])
    >>> finding(table.assign(ceiling_bits=5.6, null_bits=0.0))
    'InfoNCE (lower bound) is off by at most 2.50 bits: it reads 5.50 of 8, 98% of its ceiling.'
    """
    return " ".join(findings(table))


def findings(table: pd.DataFrame) -> list[str]:
    """Say the same as :func:`finding`, a text a method."""
    return [_sentence(str(method), rows) for method, rows in table.groupby("method", sort=False)]


def _sentence(method: str, rows: pd.DataFrame) -> str:
    kind = str(rows["kind"].iloc[0])
    truth, reading, low, high, ceiling, _ = (column_values(rows, column) for column in CALIBRATION_COLUMNS)
    worst = int(np.argmax(np.abs(reading - truth)))
    off = abs(reading[worst] - truth[worst])
    text = f"{method_words(method)} ({kind}) is off by at most {off:.2f} bits:"
    text += f" it reads {reading[worst]:.2f} of {truth[worst]:g}"
    if reading[worst] > SATURATED_SHARE * ceiling[worst]:
        text += f", {reading[worst] / ceiling[worst]:.0%} of its ceiling"
    text += "."
    if kind == "point estimate":
        known = np.isfinite(low) & np.isfinite(high)
        covered = int(((low <= truth) & (truth <= high))[known].sum())
        return text + (
            f" Its interval holds the truth at {covered} of {known.sum()} values." if known.any() else ""
        )
    wrong = high < truth if kind == "upper bound" else low > truth
    if wrong.any():
        where = " and ".join(f"{value:g}" for value in truth[wrong])
        side = "below" if kind == "upper bound" else "above"
        text += (
            f" At {where} bits its whole interval lies {side} the truth: it does not keep its promise there."
        )
    return text


def calibration_table(calibration: Calibration) -> pd.DataFrame:
    """Lay out one row a reading: columns in bits, absent values None."""
    rows = [
        {
            "method": method,
            "kind": point.estimate.kind,
            "truth_bits": point.truth_bits,
            "reading_bits": point.estimate.bits,
            "low_bits": interval.low if (interval := point.estimate.interval_bits) else None,
            "high_bits": interval.high if interval else None,
            "error_bits": point.estimate.bits - point.truth_bits,
            "ceiling_bits": point.estimate.ceiling_bits,
            "null_bits": point.estimate.null_bits,
            "seconds": point.estimate.seconds,
            "warnings": ", ".join(warning.word for warning in point.estimate.warnings),
        }
        for method, points in calibration.points.items()
        for point in points
    ]
    return pd.DataFrame(rows)


def calibration_setting(calibration: Calibration) -> str:
    """Say in plain words what the composites were made of."""
    zero, one = calibration.classes
    text = (
        f"{calibration.n:,} composites of {calibration.bits} bits in {calibration.dimensions:,} dimensions;"
        f" each bit is a row of {calibration.data}, of class {zero!r} or {one!r}. What is trained is"
        " reported on rows that it has not seen."
    )
    if calibration.truth_is_limit:
        text += " A row occurs in both classes, so the true values are upper limits."
    return text
