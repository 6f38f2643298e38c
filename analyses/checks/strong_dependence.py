"""What is read where x and y share very much: 5 to 10 nats in 1 to 20 columns, the truth known."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field
from scipy.optimize import brentq
from scipy.stats import rankdata
from sklearn.feature_selection import mutual_info_regression

from mitools.analyses.checks.coverage import WORDS_OF_DOUBT
from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.names import check_name
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.known_information.base import Joint
from mitools.datasets.known_information.channels import AdditiveUniform
from mitools.datasets.known_information.column_pairs import Checkerboard, NoisySine, SideBySide
from mitools.datasets.known_information.elliptical import Gaussian, StudentT, sparse_correlation
from mitools.datasets.known_information.tasks import KnownMI, sample
from mitools.estimators.auto import AutoEstimator
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes
from mitools.training.recipes import Count

STUDENT_DF = 3.0
"""Degrees of freedom of the Student pairs: heavy tails, and a variance."""

AIMED_MEAN_ERROR = 0.15
"""Nats of the mean absolute error that is aimed at for :data:`AIMED_FAMILIES`, where it is not said that the
truth cannot be told."""

AIMED_FAMILIES, AIMED_COLUMNS, AIMED_NATS = ("normal", "uniform", "Student", "mixed"), 5, 8.0


def _normal(nats: float, columns: int) -> Joint:
    return Gaussian.sparse(columns, columns, columns, _correlation(nats / columns))


def _uniform(nats: float, columns: int) -> Joint:
    one = nats / columns
    # Half a nat is where the closed form changes: noise as wide as x.
    epsilon = 1 / (4 * one) if one < 0.5 else _solve(lambda e: e - np.log(2 * e), one, 1e-12, 0.5)
    return AdditiveUniform(epsilon, columns)


def _student(nats: float, columns: int) -> Joint | None:
    scale = StudentT.identity(columns, columns, STUDENT_DF).truth.nats
    if scale >= nats:
        return None
    correlation = _correlation((nats - scale) / columns)
    return StudentT(sparse_correlation(columns, columns, columns, correlation), columns, STUDENT_DF)


def _mixed(nats: float, columns: int) -> Joint | None:
    parts = [(_normal, _uniform, _student)[k % 3](nats / columns, 1) for k in range(columns)]
    made = [part for part in parts if part is not None]
    return SideBySide(made) if len(made) == columns > 1 else None


def _sine(nats: float, columns: int) -> Joint | None:
    one = nats / columns
    if one <= NoisySine(0.999).truth.nats:
        return None
    epsilon = float(np.exp(_solve(lambda e: NoisySine(float(np.exp(e))).truth.nats, one, -13.0, -0.001)))
    return SideBySide([NoisySine(epsilon)] * columns)


def _checkerboard(nats: float, columns: int) -> Joint | None:
    one = nats / columns
    if one > Checkerboard(0.0).truth.nats:
        return None
    return SideBySide([Checkerboard(_solve(lambda p: Checkerboard(p).truth.nats, one, 0.0, 0.5))] * columns)


FAMILIES: dict[str, Callable[[float, int], Joint | None]] = {
    "normal": _normal,
    "uniform": _uniform,
    "Student": _student,
    "mixed": _mixed,
    "sin": _sine,
    "checkerboard": _checkerboard,
}
"""Every column of x is paired with one of y, and all pairs share alike; Student columns have one scale, which
shares as well. ``uniform`` is seen by its ranks, so that both margins are uniform; ``mixed`` is normal,
uniform and Student (1+1) in turn. None is made where a family cannot share so much: a checkerboard shares
0.69 nats a column at the most and a sine, whose noise is no wider than itself, 0.6 at the least; one column
is no mixture."""


class StrongDependenceRecipe(Recipe):
    """Which pairs are read.

    Attributes
    ----------
    families
        Names in :data:`FAMILIES`.
    nats, columns
        What x and y share in all, and the columns of each.
    rows
        Pairs drawn.
    seeds
        Samples of every cell.
    """

    families: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(FAMILIES)
    nats: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)] = (5.0, 8.0, 10.0)
    columns: Annotated[tuple[Count, ...], Field(min_length=1)] = (1, 2, 5, 20)
    rows: Annotated[int, Field(ge=200)] = 10_000
    seeds: Count = 1


class _Cell(NamedTuple):
    family: str
    columns: int
    nats: float
    rows: int
    seed: int


def run(
    recipe: StrongDependenceRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Read every cell by ``auto`` and, in one column, by scikit-learn; what was read before is kept.

    Parameters
    ----------
    recipe
        See :class:`StrongDependenceRecipe`.
    out
        Folder for ``results.csv``, ``reading.txt``, the figure and the kept cells.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    runtime
        Says whether this process is the first.

    Returns
    -------
    Finding or None
        None in all processes but the first.

    Raises
    ------
    InputError
        When a family is unknown.
    """
    if runtime is not None and not runtime.is_main:
        return None
    for family in recipe.families:
        check_name("family", family, FAMILIES)
    cells = [
        _Cell(family, columns, nats, recipe.rows, seed)
        for columns in recipe.columns
        for nats in recipe.nats
        for family in recipe.families
        if FAMILIES[family](nats, columns) is not None
        for seed in range(recipe.seeds)
    ]
    store, rows = ResultStore(out / "cells"), []
    for done, cell in enumerate(cells):
        if advance:
            advance(f"{cell.nats:g} nats, {cell.family}, {cell.columns} columns", done, len(cells))
        rows.append(cell._asdict() | store.cell("strong dependence", cell._asdict(), partial(_read, cell)))
    table = pd.DataFrame(rows)
    subject = subject_line("pairs of known information", int(table["rows"].iloc[0]), table["seed"].unique())
    figures = write_chart(out / "strong_dependence", strong_dependence_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def draw(family: str, columns: int, nats: float, rows: int, seed: int) -> KnownMI | None:
    """Draw pairs of a family in so many columns; None where it cannot share so much.

    Parameters
    ----------
    family
        In :data:`FAMILIES`.
    columns, nats, rows, seed
        See :class:`StrongDependenceRecipe`.
    """
    joint = FAMILIES[family](nats, columns)
    if joint is None:
        return None
    known = sample(joint, rows, seed, family)
    if family != "uniform":
        return known
    return replace(known, x=_ranks(known.x), y=_ranks(known.y))


def describe(table: pd.DataFrame) -> str:
    """Say how close the readings are, and where neither an interval nor a warning covers the truth.

    Parameters
    ----------
    table
        One row a cell, as ``results.csv`` has them.
    """
    if table.empty:
        return "No family can share so much in so few columns."
    told = table["held"] | table["warned"]
    parts = [
        f"the interval of auto holds the truth in {int(table['held'].sum())} of {len(table)} samples, and"
        f" holds it or a warning says that it may lie elsewhere in {int(told.sum())}"
    ]
    silent = [f"{row.family} of {row.nats:g} nats in {row.columns}" for row in table[~told].itertuples()]
    if silent:
        parts.append(f"neither in {listed(silent)} column(s)")
    aimed = table[
        table["family"].isin(AIMED_FAMILIES)
        & (table["columns"] <= AIMED_COLUMNS)
        & (table["nats"] <= AIMED_NATS)
    ]
    if not aimed.empty:
        error = aimed["error"].abs()
        within = "within" if error.mean() <= AIMED_MEAN_ERROR else "beyond"
        parts.append(
            f"over {len(aimed)} samples of {listed(list(dict.fromkeys(aimed['family'])))} pairs of up to"
            f" {AIMED_NATS:g} nats in up to {AIMED_COLUMNS} columns it is off by {error.mean():.3f} nats on"
            f" average, {within} the {AIMED_MEAN_ERROR} that were aimed at, and by {error.max():.3f} at most"
        )
    single = table[table["columns"] == 1]
    if not single.empty:
        ours, theirs = (single[name].abs().mean() for name in ("error", "sklearn_error"))
        parts.append(
            f"in one column auto is off by {ours:.3f} nats on average and scikit-learn's"
            f" mutual_info_regression by {theirs:.3f}"
        )
    return f"{'; '.join(parts)}."


def strong_dependence_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> Axes:
    """Draw readings minus the truth, a panel for every number of columns: auto, and scikit-learn's in one.

    Parameters
    ----------
    table
        As :func:`run` makes it.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    columns = sorted(set(table["columns"]))
    names = [f"{count} column{'s' if count > 1 else ''}" for count in columns]
    axes = open_panels(ax, figure, names, (2.6 * len(columns), 3.0)).axes
    labels = [f"{nats:g} {family}" for nats in sorted(set(table["nats"])) for family in FAMILIES]
    shown = [label for label in labels if label in set(_labels(table))]
    for panel, name, count in zip(axes, names, columns, strict=True):
        rows = table[table["columns"] == count]
        place = _labels(rows).map({label: k for k, label in enumerate(shown)}).to_numpy(float)
        told = (rows["held"] | rows["warned"]).to_numpy(bool)
        low, high = (rows[side].astype(float) - rows["truth"] for side in ("low", "high"))
        panel.axvline(0.0, color="0.6", lw=0.8)
        panel.hlines(place, low, high, color=BLUE, lw=1.0)
        for mask, color, label in ((told, BLUE, "auto"), (~told, ORANGE, "auto, not told")):
            panel.plot(rows["error"][mask], place[mask], "o", color=color, ms=3.5, label=label)
        if count == 1:
            panel.plot(rows["sklearn_error"], place, "x", color=GREY, ms=4, label="scikit-learn")
        panel.set_title(name, fontsize=FONT_SIZE)
        panel.set_yticks(range(len(shown)), shown, fontsize=FONT_SIZE - 1)
        panel.set_ylim(len(shown) - 0.5, -0.5)
        panel.set_xlabel("reading minus truth (nats)", fontsize=FONT_SIZE)
        plain_axes(panel)
        if panel is not axes[0]:
            panel.tick_params(labelleft=False)
    axes[0].legend(fontsize=FONT_SIZE - 1, loc="upper left", frameon=False)
    first: Axes = axes[0]
    return first


def _read(cell: _Cell) -> Values:
    known = draw(*cell)
    assert known is not None
    found = AutoEstimator(seed=cell.seed).fit(known.x, known.y).estimate_
    low, high, _ = found.interval_nats or (None, None, None)
    # A lower bound promises that the truth does not lie below it, and no more.
    below = high is None or known.nats <= high or found.kind == "lower bound"
    values: Values = {
        "truth": known.nats,
        "auto": found.nats,
        "low": low,
        "high": high,
        "kind": found.kind,
        "chosen": found.settings["chosen"],
        "words": " ".join(warning.word for warning in found.warnings),
        "error": found.nats - known.nats,
        "held": low is not None and low <= known.nats and below,
        "warned": low is None or any(warning.word in WORDS_OF_DOUBT for warning in found.warnings),
        "seconds": found.seconds,
        "sklearn": None,
        "sklearn_error": None,
    }
    if cell.columns == 1:
        peer = float(mutual_info_regression(known.x, known.y[:, 0], random_state=cell.seed)[0])
        values |= {"sklearn": peer, "sklearn_error": peer - known.nats}
    return values


def _labels(table: pd.DataFrame) -> "pd.Series[str]":
    return table["nats"].map("{:g}".format) + " " + table["family"]


def _correlation(nats: float) -> float:
    """Correlation of a normal pair that shares so much."""
    return float(np.sqrt(-np.expm1(-2 * nats)))


def _solve(nats: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Find the parameter at which a family shares so much; it falls with the parameter."""
    return float(brentq(lambda value: nats(value) - wanted, low, high, xtol=1e-13))


def _ranks(rows: np.ndarray) -> np.ndarray[Any, np.dtype[np.float64]]:
    ranks: np.ndarray[Any, np.dtype[np.float64]] = rankdata(rows, axis=0) / len(rows)
    return ranks
