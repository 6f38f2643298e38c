"""What an analysis ends in: a table, figures, and sentences that read them."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mitools.core.files import write_text
from mitools.report.tables.write import write_csv


class Finding(NamedTuple):
    """The result of an analysis.

    Attributes
    ----------
    table
        All that was measured.
    reading
        Sentences made from the table's numbers; where there are several lines, each is of one subject.
    files
        All that was written.
    """

    table: pd.DataFrame
    reading: str
    files: list[Path]


def write_finding(table: pd.DataFrame, reading: str, out: Path, figures: list[Path]) -> Finding:
    """Write ``results.csv`` and ``reading.txt`` beside the figures.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    write_csv(table, out / "results.csv")
    write_text(out / "reading.txt", reading + "\n")
    return Finding(table, reading, [out / "results.csv", out / "reading.txt", *figures])


def listed(words: list[str]) -> str:
    """Join words as people do.

    Examples
    --------
    >>> listed(["color", "digit", "position"])
    'color, digit and position'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
