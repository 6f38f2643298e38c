"""What an audit writes: tables, figures and the full estimates."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.auditing.audit import Audit
from mitools.measures.further.columns import FURTHER_MEASURES
from mitools.measures.registry import MEASURES
from mitools.measures.view_names import view_columns
from mitools.report.card import write_cards
from mitools.report.encoder_rows import (
    compared,
    correlated,
    last_layers,
    readings_of,
    result_table,
    write_estimates,
)
from mitools.report.figures.brackets import bracket_chart
from mitools.report.figures.depth import depth_chart
from mitools.report.figures.forest import forest_chart
from mitools.report.figures.panels import AxesArray, SomeAxes
from mitools.report.figures.save import PICTURES, write_chart
from mitools.report.figures.scatter import scatter_against_target
from mitools.report.items import write_items
from mitools.report.tables.write import write_tables

AUDIT_TARGET = "linear_acc"
"""The column that measures are compared with."""

AUDIT_MEASURES = (
    "i_class_bits",
    "label_information_bits",
    "i_class_infonce_bits",
    "i_simclr_bits",
    "knn20_acc",
    "knn200_acc",
    "alignment",
    "alignment_simclr",
    "uniformity",
    "tolerance",
    "tolerance_all_pairs",
    "recall_at_1",
    "nmi",
)
"""The columns that are correlated with linear accuracy, where an audit has them."""

SCATTERED = ("i_class_bits", "uniformity", "tolerance")
"""The measures drawn against linear accuracy: the certificate, and two that papers put beside it."""

ALIGNMENT = "alignment_"
"""What the column of the alignment of two views begins with; the view's name follows."""


class AuditFigure(Protocol):
    """A figure of an audit."""

    def __call__(
        self, table: pd.DataFrame, /, ax: SomeAxes | None = None, figure: Figure | None = None
    ) -> Axes | AxesArray:
        """Draw the table of results."""
        ...


class AuditTables(NamedTuple):
    """The tables of an audit.

    Attributes
    ----------
    results
        One row an encoder, or a layer of it.
    correlation, comparisons
        None where there are too few encoders: correlation needs three, comparisons two. The layers of one
        encoder are no independent rows, so only its last one is correlated; all are compared.
    """

    results: pd.DataFrame
    correlation: pd.DataFrame | None
    comparisons: pd.DataFrame | None


def audit_tables(audit: Audit, seed: int = 0) -> AuditTables:
    """Lay out the tables of an audit, correlate its measures and compare its encoders.

    Parameters
    ----------
    audit
        With one encoder or more.
    seed
        Of the bootstrap.
    """
    results = result_table(audit)
    measures = _measures_of(results)
    negated = set(_lower_is_better(measures))
    return AuditTables(
        results,
        correlated(results, AUDIT_TARGET, measures, negated, seed),
        compared(readings_of(audit.encoders, "i_class")),
    )


def write_audit(audit: Audit, tables: AuditTables, out: Path) -> list[Path]:
    """Write the tables, the figures, ``estimates.json`` and a card an encoder.

    Parameters
    ----------
    audit
        With one encoder or more.
    tables
        Those that :func:`audit_tables` makes of it.
    out
        Where to; figures go to ``figures/`` below it.

    Returns
    -------
    list of Path
        All files.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    results = tables.results
    files = write_documents(audit, tables, out)
    figures = out / "figures"
    title = f"{audit.data}, n = {results['n'].iloc[0]:,}"
    titled = partial(bracket_chart, title=f"{title}; limits of 95% intervals")
    files += write_chart(figures / "brackets", titled, results)
    if len(results) > len(last_layers(results)):
        files += write_chart(figures / "depth", depth_chart, results)
    else:
        # Of an earlier audit into this folder, it would speak of other encoders than the tables do.
        for ending in PICTURES:
            (figures / f"depth.{ending}").unlink(missing_ok=True)
    files += write_cards(last_layers(results), audit.data, out / "cards")
    files += _write_correlation(results, tables.correlation, title, figures)
    return files


def _write_correlation(
    results: pd.DataFrame, correlation: pd.DataFrame | None, title: str, figures: Path
) -> list[Path]:
    """Draw all coefficients in one figure, and the measures that papers compare against linear accuracy.

    One encoder is compared with nothing, and gets neither.
    """
    last, measures = last_layers(results), _measures_of(results)
    drawn = [name for name in SCATTERED if name in measures]
    for stem, wanted in [
        ("correlation", correlation is not None),
        ("against_linear_accuracy", len(last) > 1),
    ]:
        for ending in PICTURES if not wanted else ():  # of an earlier audit into this folder
            (figures / f"{stem}.{ending}").unlink(missing_ok=True)
    files = []
    if correlation is not None and correlation["pearson"].notna().any():
        said = f"{title.partition(',')[0]}, encoders' measures with linear accuracy"
        files += write_chart(figures / "correlation", forest_chart, correlation, said)
    if len(last) > 1:
        negated = _lower_is_better(drawn)
        files += write_chart(
            figures / "against_linear_accuracy",
            scatter_against_target,
            last,
            drawn,
            AUDIT_TARGET,
            negated,
        )
    return files


def write_documents(audit: Audit, tables: AuditTables, out: Path) -> list[Path]:
    """Write all that :func:`write_audit` writes but the figures: what a page is made from.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    files = write_tables(*tables, out)
    about = {"conditions": audit.conditions, "classes": list(audit.classes)}
    files.append(write_estimates(audit, about, out / "estimates.json"))
    return [*files, *write_items(audit, out)]


def accuracy_scatter(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw every measure of an audit against linear accuracy, a panel a measure, the last layers alone.

    Parameters
    ----------
    table
        One row an encoder or layer, as ``results.csv`` has them.
    ax, figure
        Where to draw, one axes a measure; see :mod:`mitools.report.figures.panels`. One measure alone is
        drawn by :func:`mitools.report.figures.scatter.scatter_against_target`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (measures,), in the order of :data:`AUDIT_MEASURES`.

    Raises
    ------
    InputError
        When the table has no rows or lacks linear accuracy, or there are more or fewer axes than measures.
    """
    last, measures = last_layers(table), _measures_of(table)
    return scatter_against_target(
        last, measures, AUDIT_TARGET, _lower_is_better(measures), ax=ax, figure=figure
    )


AUDIT_FIGURES: dict[str, AuditFigure] = {
    "brackets": bracket_chart,
    "scatter": accuracy_scatter,
    "depth": depth_chart,
}
"""The figures of an audit by name: each takes the table of results, and ``ax`` or ``figure`` to draw on."""


def _measures_of(results: pd.DataFrame) -> list[str]:
    """Name the columns to correlate: those of every audit, of each view, and of measures asked for."""
    views = [name.removeprefix(ALIGNMENT) for name in results if str(name).startswith(ALIGNMENT)]
    of_views = [column for view in views for column in view_columns(view)]
    # What is best at a value between cannot be correlated as it is.
    further = [one.name for one in FURTHER_MEASURES if one.kind == "metric" and one.best is None]
    return [name for name in dict.fromkeys([*AUDIT_MEASURES, *of_views, *further]) if name in results]


def _lower_is_better(measures: Sequence[str]) -> list[str]:
    """Name the measures that are negated before they are correlated."""
    lower = {name for name, measure in MEASURES.items() if not measure.higher_is_better}
    return [name for name in measures if name in lower or name.startswith(ALIGNMENT)]
