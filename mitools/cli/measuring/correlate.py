"""``mitools correlate``: which columns of a table go with a target column."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mitools.cli.console import (
    JsonOption,
    SeedOption,
    err,
    note,
    print_finding,
    print_json,
    print_table,
    progress,
)
from mitools.cli.console import out as console
from mitools.cli.measuring.estimates import interval_of

WITH_INTERVAL = 4
"""Columns of the table up to the interval, without which none is printed."""


def correlate(
    table: Annotated[Path, typer.Argument(help="A CSV file with one row an encoder.", metavar="TABLE.csv")],
    target: Annotated[str, typer.Option(help="The column to correlate with.")] = "linear_acc",
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="The measures.",
            show_default="columns of numbers but limits, counts and seconds",
        ),
    ] = None,
    lower_is_better: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Columns whose sign is turned.",
            show_default="alignment,uniformity where present",
        ),
    ] = None,
    bootstrap: Annotated[int, typer.Option(help="Resamples of the rows.")] = 2000,
    confidence: Annotated[
        float, typer.Option(help="Of the intervals, and of what the finding tells.")
    ] = 0.95,
    seed: SeedOption = 0,
    out: Annotated[
        Path | None, typer.Option(help="Also write the result here, as CSV.", metavar="FILE.csv")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Correlate the measures of a CSV table with its target column.

    Pearson, Kendall (tau-b) and Spearman with bootstrap intervals, the range over leaving one row out, and
    p-values adjusted (Holm) for the number of columns.
    """
    turned = None
    if lower_is_better is not None:
        turned = [name.strip() for name in lower_is_better.split(",") if name.strip()]
    with progress():  # shown before the seconds that the imports take
        from mitools import api
        from mitools.report.tables.write import records

        found = api.correlate(
            table,
            target,
            columns=columns,
            lower_is_better=turned,
            confidence=confidence,
            bootstrap=bootstrap,
            seed=seed,
        )
    result, skipped = found.table, found.not_numeric
    if out is not None:
        found.save(out)
    if json:
        print_json(
            {
                "target": target,
                "rows": found.rows,
                "confidence": confidence,
                "bootstrap": bootstrap,
                "seed": seed,
                "not_numeric": list(skipped),
                "no_measures": list(found.no_measures),
                "finding": found.finding,
                "columns": records(result),
            }
        )
        return
    interval = f"{100 * confidence:g}% interval"
    header = ["column", "coefficient", "value", interval, "Holm p", "n", "without one row", "p"]
    lines = [line for row in records(result) for line in _lines(row)]
    print_table(header, lines, file=out or "--json, or --out FILE.csv", fewest=WITH_INTERVAL)
    if skipped:
        note(f"left out, not numeric: {', '.join(skipped)}")
    if found.no_measures and columns is None:
        note(f"left out, no measures: {', '.join(found.no_measures)}; --columns A,B names what is wanted")
    for remark, named in result[result["note"] != ""].groupby("note", sort=False)["column"]:
        err.print(f"{', '.join(named)}: {remark}", markup=False)
    console.print()
    print_finding(found.finding)
    if out is not None:
        note(f"written: {out}")


def _lines(row: dict[str, Any]) -> list[list[str]]:
    """Three lines of the table for one column, or one that says there is nothing."""
    from mitools.statistics.coefficients import COEFFICIENT_NAMES

    name = row["column"] + (" (lower is better)" if row["sign"] < 0 else "")
    if row["pearson"] is None:
        return [[name, "", "", "", "", str(row["n"]), "", ""]]
    return [
        [
            name if coefficient == COEFFICIENT_NAMES[0] else "",
            coefficient.capitalize(),
            f"{row[coefficient]:.3f}",
            interval_of(row["n"], row[f"{coefficient}_low"], row[f"{coefficient}_high"]),
            f"{row[f'{coefficient}_p_holm']:.2g}",
            str(row["n"]) if coefficient == COEFFICIENT_NAMES[0] else "",
            _range(row[f"{coefficient}_loo_low"], row[f"{coefficient}_loo_high"]),
            f"{row[f'{coefficient}_p']:.2g}",
        ]
        for coefficient in COEFFICIENT_NAMES
    ]


def _range(low: float | None, high: float | None) -> str:
    return "none" if low is None or high is None else f"{low:.3f} to {high:.3f}"
