"""Everything a calibration leaves behind: a table, a figure and the full estimates."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mitools.calibration import Calibration
from mitools.core.files import write_text
from mitools.report.figures.calibration import calibration_chart, finding
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
    table = pd.DataFrame(_rows(calibration))
    found, setting = finding(table), _setting(calibration)
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
        "points": [
            {"truth_bits": point.truth_bits, "estimate": point.estimate.to_dict()}
            for points in calibration.points.values()
            for point in points
        ],
        "failures": dict(calibration.failures),
    }
    write_text(files[1], json.dumps(document, indent=2, allow_nan=False) + "\n")
    files += calibration_chart(table, out / "calibration", f"{found}\n{setting}")
    return CalibrationReport(table, found, setting, files)


def _rows(calibration: Calibration) -> list[dict[str, Any]]:
    return [
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
            "warnings": ", ".join(caution.word for caution in point.estimate.warnings),
        }
        for method, points in calibration.points.items()
        for point in points
    ]


def _setting(calibration: Calibration) -> str:
    zero, one = calibration.classes
    text = (
        f"{calibration.n:,} composites of {calibration.bits} bits in {calibration.dimensions:,} dimensions;"
        f" each bit is a row of {calibration.data}, of class {zero!r} or {one!r}. What is trained is"
        " reported on rows that it has not seen."
    )
    if calibration.truth_is_limit:
        text += " A row occurs in both classes, so the true values are upper limits."
    return text
