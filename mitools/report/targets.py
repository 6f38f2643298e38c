"""What an audit on continuous targets or several labels writes: tables, a figure and the full estimates."""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.auditing.target_audit import AuditedOnTargets, TargetAudit
from mitools.report.encoder_rows import (
    compared,
    correlated,
    last_layers,
    readings_of,
    result_table,
    write_estimates,
)
from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, ORANGE, plain_axes, shorten
from mitools.report.finding import carries_more
from mitools.report.tables.write import write_csv, write_tables

SCORES = {"continuous": "r2", "multi-label": "mean_average_precision"}
"""The score of held-out predictions that measures are compared with, by the kind of target."""

NAME_LENGTH = 40
"""Characters of an encoder's name in the figure."""

MEASURES = ("i_target_bits", "i_target_infonce_bits", "i_predicted_bits")
"""The columns that are correlated with it."""


class TargetTables(NamedTuple):
    """The tables of an audit on targets.

    Attributes
    ----------
    results
        One row an encoder, or a layer of it.
    targets
        One row an encoder and target.
    correlation, comparisons
        None where there are too few encoders: correlation needs three, comparisons two.
    """

    results: pd.DataFrame
    targets: pd.DataFrame
    correlation: pd.DataFrame | None
    comparisons: pd.DataFrame | None


def target_tables(audit: TargetAudit, seed: int = 0) -> TargetTables:
    """Lay out the tables of an audit, correlate its measures with its score and compare its encoders.

    Parameters
    ----------
    audit
        With one encoder or more.
    seed
        Of the bootstrap.
    """
    results = result_table(audit)
    measures = [name for name in MEASURES if name in results]
    return TargetTables(
        results,
        pd.DataFrame([row for one in audit.encoders for row in one.each]),
        correlated(results, SCORES[audit.kind], measures, (), seed),
        compared(readings_of(_read_alike(audit), "i_target")),
    )


def _read_alike(audit: TargetAudit) -> list[AuditedOnTargets]:
    """Keep the most encoders whose influences are of the same items, or the same groups of them.

    Exact copies are one group where nobody said what belongs together, and not every encoder copies the same.
    """
    kinds: dict[Any, list[AuditedOnTargets]] = {}
    for one in audit.encoders:
        grouped = one.estimates["i_target"].settings.get("grouped_as")
        kinds.setdefault((grouped, len(one.influence_nats)), []).append(one)
    return max(kinds.values(), key=len)


def target_finding(audit: TargetAudit, tables: TargetTables) -> list[str]:
    """Say what is certified of the targets, and who carries more, as far as the intervals allow."""
    last = last_layers(tables.results)
    best = last.loc[last["i_target_bits"].idxmax()]
    what = f"the {len(audit.targets)} targets together" if len(audit.targets) > 1 else audit.targets[0]
    if best["i_target_low"] > 0:
        said = (
            f"{best['encoder']} certainly carries {best['i_target_low']:.2f} bits or more about {what}"
            f" (reading {best['i_target_bits']:.2f}, 95% interval)."
        )
    else:
        said = f"No encoder is told to carry anything about {what}: every interval holds 0."
    if tables.comparisons is None or len(last) < 2:
        return [said]
    compared = {*tables.comparisons["encoder_a"], *tables.comparisons["encoder_b"]}
    names = [str(name) for name in last.sort_values("i_target_bits", ascending=False)["encoder"]]
    names = [name for name in names if name in compared]
    if len(names) < 2:
        return [said]
    within = tables.comparisons[
        tables.comparisons["encoder_a"].isin(names) & tables.comparisons["encoder_b"].isin(names)
    ]
    about = [one.replace("class information", "target information") for one in carries_more(names, within)]
    return [said, *about]


def target_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None, title: str = ""
) -> Axes:
    """Draw what is certified of each encoder about the targets, with its interval and its null.

    Parameters
    ----------
    table
        One row an encoder, with ``encoder``, ``i_target_bits``, ``_low``, ``_high`` and ``_null``.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.
    title
        Written above.

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    keys = ["i_target_bits", "i_target_low", "i_target_high", "i_target_null"]
    require_columns(table, ["encoder", *keys])
    table = table.sort_values("i_target_bits", kind="stable")
    value, low, high, null = (column_values(table, key) for key in keys)
    rows = range(len(table))
    panels = open_panels(ax, figure, ["targets"], (4.6, 0.4 + 0.28 * len(table)), room=(4.0, 1.4))
    axes = panels.axes[0]
    plain_axes(axes)
    axes.errorbar(
        value, rows, xerr=[value - low, high - value], fmt="o", color=BLUE, markersize=4, capsize=2,
        label="reading and 95% interval",
    )  # fmt: skip
    axes.plot(null, rows, "|", color=ORANGE, markersize=9, label="targets permuted")
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(list(rows), [shorten(str(name), NAME_LENGTH) for name in table["encoder"]])
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlabel("information about the targets, lower bound (bits)")
    axes.set_title(title)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=2, frameon=False)
    return axes


def write_target_documents(audit: TargetAudit, tables: TargetTables, out: Path) -> list[Path]:
    """Write the tables and ``estimates.json``: what a page is made from.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    files = write_tables(tables.results, tables.correlation, tables.comparisons, out)
    write_csv(tables.targets, out / "targets.csv")
    about = {
        "kind": audit.kind,
        "targets": list(audit.targets),
        "conditions": dict(audit.conditions),
        "finding": target_finding(audit, tables),
    }
    estimates = write_estimates(audit, about, out / "estimates.json")
    return [*files, out / "targets.csv", estimates]


def write_target_audit(audit: TargetAudit, tables: TargetTables, out: Path) -> list[Path]:
    """Write the tables, the full estimates and the figure.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    files = write_target_documents(audit, tables, out)
    title = f"{audit.data}, n = {tables.results['n'].iloc[0]:,}"

    def drawn(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
        return target_chart(table, ax, figure, title)

    return [*files, *write_chart(out / "figures" / "targets", drawn, tables.results)]
