"""What ``mitools audit`` prints of continuous targets, and of several labels an item."""

from pathlib import Path
from typing import Any

from mitools.cli.console import out, print_finding, print_table
from mitools.cli.measuring.estimates import bits, print_warnings

MOST_TARGETS = 20
"""Targets that are printed one by one; the file has them all."""

_SCORES = {"r2": "R2", "mean_average_precision": "mean AP", "mean_prevalence": "guess"}
_FURTHER = {"i_target_infonce_bits": "InfoNCE", "i_predicted_bits": "ridge, kNN"}
_OF_ONE = {"i_class_bits": "I_class", "i_predicted_bits": "ridge, kNN", "r2": "R2",
           "average_precision": "AP", "prevalence": "guess"}  # fmt: skip


def print_targets(found: Any, folder: Path) -> None:
    """Print one row an encoder, one row an encoder and target, the warnings and what was found.

    Parameters
    ----------
    found
        A :class:`mitools.results.target_audit.TargetAuditResult`.
    folder
        Where the tables lie.
    """
    from mitools.report.tables.write import records

    rows, each = records(found.table), records(found.targets)
    further = {key: name for key, name in (_FURTHER | _SCORES).items() if key in rows[0]}
    joint = "about the target" if len({row["target"] for row in each}) == 1 else "about all targets together"
    print_table(
        ["encoder", "at least", "95% interval", "null", *further.values(), "dim", "seconds"],
        [
            [
                row["encoder"],
                bits(row["i_target_bits"]),
                f"{bits(row['i_target_low'])} to {bits(row['i_target_high'])}",
                bits(row["i_target_null"]),
                *(bits(row.get(key)) for key in further),
                str(row["dim"]),
                f"{row['seconds']:.1f}",
            ]
            for row in rows
        ],
        title=f"bits {joint}, a lower bound",
        file=folder / "results.csv",
    )
    if joint != "about the target":
        _print_each(each, folder)
    print_warnings(rows)
    if found.correlation is not None:
        out.print(f"Correlations with {_SCORES[found.score]} are in correlation.csv.", markup=False)
    out.print()
    print_finding(found.finding)


def _print_each(each: list[dict[str, Any]], folder: Path) -> None:
    names = list(dict.fromkeys(row["target"] for row in each))
    of_one = {key: name for key, name in _OF_ONE.items() if any(key in row for row in each)}
    shown = [row for row in each if row["target"] in names[:MOST_TARGETS]]
    out.print()
    print_table(
        ["encoder", "target", "at least", "95% interval", *of_one.values()],
        [
            [
                row["encoder"],
                row["target"],
                bits(row["i_target_bits"]),
                f"{bits(row['i_target_low'])} to {bits(row['i_target_high'])}",
                *(bits(row.get(key)) for key in of_one),
            ]
            for row in shown
        ],
        title="bits about each target: their sum is no bound for all together",
        file=folder / "targets.csv",
    )
    if len(names) > MOST_TARGETS:
        out.print(f"{len(names) - MOST_TARGETS} further targets are in targets.csv.", markup=False)
