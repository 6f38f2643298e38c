"""A study's cells as tables: one row a cell, one row an encoder, in four file formats."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mitools.core.errors import InputError, as_codes
from mitools.core.estimate import Estimate
from mitools.core.files import whole_file
from mitools.core.names import nearest
from mitools.core.specs import shown_name
from mitools.measures.measured import Difference
from mitools.report.tables.write import write_csv
from mitools.studies.folder import Found

CELL_COLUMNS = (
    *("data", "encoder", "family", "pairing", "measure", "seed", "state"),
    *("value", "unit", "low", "high", "kind", "ceiling", "entropy", "null"),
    *("n_train", "n_select", "n_report", "seconds", "warnings", "error"),
)


def cell_table(found: Iterable[Found], families: Mapping[str, str | None]) -> pd.DataFrame:
    """Lay out one row a cell, whatever its state; absent values are empty.

    Parameters
    ----------
    found
        The cells and what has become of them.
    families
        The family of each encoder's spec, or None.
    """
    return pd.DataFrame([_row(one, families) for one in found], columns=list(CELL_COLUMNS))


def encoder_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Lay out one row an encoder and data set: the mean over the seeds of every measure that is done.

    Columns are named ``pairing:estimator`` (in bits) or after the metric; ``seeds`` counts the seeds that
    the fewest finished measure has.
    """
    rows = ["data", "encoder", "family"]
    done = cells[cells["state"] == "done"]
    column = (done["pairing"] + ":" + done["measure"]).str.removeprefix(":")
    keyed = done.assign(column=column, family=done["family"].fillna(""))
    wide = keyed.pivot_table(index=rows, columns="column", values="value", aggfunc="mean", sort=False)
    counted = keyed.pivot_table(index=rows, columns="column", values="value", aggfunc="count", sort=False)
    wide.insert(0, "seeds", counted.min(axis=1))
    return wide.reset_index().rename_axis(columns=None)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def _write_latex(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        printed = table.map(lambda cell: as_codes(cell) if isinstance(cell, str) else cell)
        printed.to_latex(temporary, index=False, float_format="%.3f", na_rep="", escape=True)


def _write_markdown(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(markdown(table), encoding="utf-8")


TABLE_FORMATS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": write_csv,
    "parquet": _write_parquet,
    "tex": _write_latex,
    "md": _write_markdown,
}
"""How each format of a table is written, by its file's ending."""


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table in the format that the file's ending names, whole or not at all.

    Raises
    ------
    InputError
        When the ending is none of :data:`TABLE_FORMATS`.
    OSError
        When the file cannot be written.
    """
    ending = path.suffix.removeprefix(".")
    if ending not in TABLE_FORMATS:
        raise InputError(
            f"{path}: no format {ending!r}; accepted endings: {nearest(ending, TABLE_FORMATS, 4)}"
        )
    TABLE_FORMATS[ending](table, path)


def markdown(table: pd.DataFrame) -> str:
    """Format a table for a README: three decimals, absent values empty.

    Examples
    --------
    >>> print(markdown(pd.DataFrame({"encoder": ["pixels"], "bits": [1.5]})), end="")
    | encoder | bits |
    |---|---|
    | pixels | 1.500 |
    """
    lines = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    formatted = [
        "|" + "|".join(_cell(value, ruled=k == 1) for value in line) + "|" for k, line in enumerate(lines)
    ]
    return "\n".join(formatted) + "\n"


def _cell(value: Any, ruled: bool) -> str:
    if ruled:
        return str(value)
    if pd.isna(value):
        text = ""
    else:
        named = as_codes(str(value)).replace("|", "\\|").replace("<", "&lt;")
        text = f"{value:.3f}" if isinstance(value, float) else named
    return f" {text} "


def _row(found: Found, families: Mapping[str, str | None]) -> dict[str, Any]:
    cell = found.cell
    row: dict[str, Any] = {
        "data": shown_name(cell.data),
        "encoder": shown_name(cell.encoder),
        "family": families.get(cell.encoder),
        "pairing": cell.shown_pairing,
        "measure": cell.measure,
        "seed": cell.seed,
        "state": found.state,
        "seconds": found.values.get("seconds"),
        "error": found.error,
    }
    if "value" in found.values:
        return row | {"value": found.values["value"], "unit": ""}
    if "difference" in found.values:
        difference = Difference.from_dict(found.values["difference"])
        low, high, _ = difference.interval_bits
        return row | {"value": difference.bits, "unit": "bits", "low": low, "high": high}
    if "estimate" not in found.values:
        return row
    estimate = Estimate.from_dict(found.values["estimate"])
    interval = estimate.interval_bits
    return row | {
        "value": estimate.bits,
        "unit": "bits",
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "kind": estimate.kind,
        "ceiling": estimate.ceiling_bits,
        "entropy": estimate.entropy_bits,
        "null": estimate.null_bits,
        "n_train": estimate.n_train,
        "n_select": estimate.n_select,
        "n_report": estimate.n_report,
        "warnings": ", ".join(warning.word for warning in estimate.warnings),
    }
