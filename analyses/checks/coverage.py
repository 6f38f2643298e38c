"""How often do the intervals hold the truth? Every method that prints one, on pairs of known information."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field
from scipy.stats import binom

from mitools.analyses.checks.coverage_tasks import COVERAGE_TASKS, INDEPENDENT_TASKS, draw
from mitools.analyses.checks.estimator_benchmark import why_left_out
from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.names import check_name
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.estimators.registry import ESTIMATORS, make_estimator
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE, plain_axes
from mitools.training.recipes import Count

PROMISED_SHARE = 0.9
"""Share of samples in which an interval of 95% must hold the truth, or a warning be raised."""

CHANCE = 0.05
"""Probability below which a cell's samples are not put down to chance."""

CLOSED_FORMS = (
    "ksg", "mixed_ksg", "components", "residuals", "gaussian", "gaussian_copula", "discrete", "nsb",
    "predictive_coding", "label_information",
)  # fmt: skip
TRAINED = ("adaptive", "infonce", "dv", "nwj", "smile", "difference_of_entropies")

WORDS_OF_DOUBT = frozenset(
    {
        "saturated", "overfit", "still_rising", "small_sample", "undersampled", "few_pairs",
        "methods_disagree", "rises_with_n", "not_normal", "dependence_left",
    }
)  # fmt: skip
"""Warnings that say that the truth may lie elsewhere."""

POINTS = "a point a task"
"""What the figure shows."""

SEEDS_OF_A_CELL = 10
"""Samples of a closed form that are kept together; a fit that trains is kept by itself."""


class CoverageRecipe(Recipe):
    """What is repeated how often.

    Attributes
    ----------
    tasks
        Names in :data:`.COVERAGE_TASKS`; all when None.
    first_seed
        Seed of the first sample; the others follow.
    methods, samples
        Estimators that train nothing, and how many samples they read of each number of pairs.
    trained_methods, trained_tasks, trained_size, trained_seeds, max_steps
        The same of those that train networks, which tasks of `tasks` they read (all when None), and their
        steps at most.
    auto_size, auto_seeds
        The same of ``auto``; its networks train as by default.
    """

    tasks: tuple[str, ...] | None = None
    first_seed: Annotated[int, Field(ge=0)] = 0
    methods: tuple[str, ...] = CLOSED_FORMS
    samples: dict[Annotated[int, Field(ge=50)], Count] = Field(
        default_factory=lambda: {300: 100, 1000: 100, 3000: 30}, min_length=1
    )
    trained_methods: tuple[str, ...] = TRAINED
    trained_tasks: tuple[str, ...] | None = None
    trained_size: Annotated[int, Field(ge=50)] = 1000
    trained_seeds: Annotated[int, Field(ge=0)] = 20
    max_steps: Count = 500
    auto_size: Annotated[int, Field(ge=50)] = 10_000
    auto_seeds: Annotated[int, Field(ge=0)] = 5


class _Cell(NamedTuple):
    """Some samples of one method on one task."""

    task: str
    method: str
    n: int
    first_seed: int
    seeds: int
    max_steps: int | None


def run(
    recipe: CoverageRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Read every method on every task over many samples; what was read before is kept.

    Parameters
    ----------
    recipe
        See :class:`CoverageRecipe`.
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
        When a name is unknown.
    """
    if runtime is not None and not runtime.is_main:
        return None
    cells = _cells(recipe)
    store, readings = ResultStore(out / "cells"), []
    for done, cell in enumerate(cells):
        if advance:
            advance(f"{cell.method} on {cell.task}, n = {cell.n:,}", done, len(cells))
        kept = store.cell("coverage", cell._asdict(), partial(_read, cell))
        of_cell = {"task": cell.task, "method": cell.method, "n": cell.n}
        readings += [of_cell | reading for reading in kept.get("readings", ())]
    table = count(pd.DataFrame(readings))
    counts = sorted(table["n"].unique())
    subject = subject_line("pairs of known information", f"n = {counts[0]:,} to {counts[-1]:,}", bars=POINTS)
    figures = write_chart(out / "coverage", coverage_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def count(readings: pd.DataFrame) -> pd.DataFrame:
    """Count how often the intervals of each task, method and n held the truth.

    Parameters
    ----------
    readings
        One row a sample: ``task``, ``method``, ``n``, ``truth``, ``kind``, ``nats``, ``null_nats``,
        ``low`` and ``high`` of the interval (None without one), ``words`` of its warnings, ``seconds``.

    Returns
    -------
    DataFrame
        One row a task, method and n, nats. ``held``, ``warned`` (by one of :data:`WORDS_OF_DOUBT`),
        ``held_or_warned``, ``without_interval`` and ``claimed`` (the interval lies above 0 and above what
        permuted pairs read) are shares of the samples.
    """
    if readings.empty:
        return readings
    low, high = readings["low"].astype(float), readings["high"].astype(float)
    none, truth = low.isna(), readings["truth"]
    # A lower bound promises that the truth does not lie below it, and no more.
    below = (truth <= high) | (readings["kind"] == "lower bound")
    held = none | ((low <= truth) & below)
    warned = readings["words"].map(lambda words: not WORDS_OF_DOUBT.isdisjoint(words)).astype(bool)
    judged = readings.assign(
        held=held,
        warned=warned,
        held_or_warned=held | warned,
        without_interval=none,
        claimed=low > readings["null_nats"].astype(float).clip(lower=0.0).fillna(0.0),
        error=readings["nats"] - truth,
        width=high - low,
    )
    table = judged.groupby(["task", "method", "n"], sort=False).agg(
        seeds=("truth", "size"),
        truth=("truth", "first"),
        held=("held", "mean"),
        warned=("warned", "mean"),
        held_or_warned=("held_or_warned", "mean"),
        without_interval=("without_interval", "mean"),
        claimed=("claimed", "mean"),
        mean_error=("error", "mean"),
        mean_width=("width", "mean"),
        median_seconds=("seconds", "median"),
    )
    return table.reset_index()


def describe(table: pd.DataFrame) -> str:
    """Say which methods hold what they promise, and where not.

    Parameters
    ----------
    table
        One row a method, task and n, as ``results.csv`` has them.
    """
    if table.empty:
        return "No method applies to any of these tasks."
    sentences = []
    for method, cells in table.groupby("method", sort=False):
        enough = int((cells["held_or_warned"] >= PROMISED_SHARE).sum())
        text = (
            f"{method} held the truth in {cells['held'].mean():.0%} of all samples, and held it or warned in"
            f" {PROMISED_SHARE:.0%} or more in {enough} of {len(cells)} cells"
        )
        short = cells[_clearly_short(cells)].sort_values("held_or_warned")
        names = [f"{row.task} at n = {row.n:,} ({row.held_or_warned:.0%})" for row in short.itertuples()]
        if names:
            text += f", in {len(names)} of them clearly less: {listed(names)}"
        elif enough < len(cells):
            text += ", in the others no less than chance allows"
        sentences.append(text)
    independent = table[table["task"].isin(INDEPENDENT_TASKS)]
    if not independent.empty:
        sentences.append(
            f"on independent pairs {independent['claimed'].mean():.1%} of all intervals lie above what"
            " permuted pairs read"
        )
    return f"{'; '.join(sentences)}."


def coverage_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
    """Draw the share of samples whose interval held the truth: a point a task and n, a line a method.

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
    methods = list(dict.fromkeys(table["method"]))
    axes = open_panels(ax, figure, ["coverage"], (5.2, 1.0 + 0.3 * len(methods))).axes[0]
    place = table["method"].map({method: k for k, method in enumerate(methods)})
    spread = np.random.default_rng(0).uniform(-0.25, 0.25, len(table))
    enough, short = table["held_or_warned"] >= PROMISED_SHARE, _clearly_short(table)
    shown = (
        (enough, BLUE, "held or warned in 90%"),
        (~enough & ~short, "0.6", "less, by no more than chance"),
        (short, ORANGE, "clearly less"),
    )
    for mask, color, label in shown:
        axes.plot(table["held"][mask], (place + spread)[mask], ".", color=color, ms=4, label=label)
    axes.axvline(0.95, color="0.6", lw=0.8)
    axes.set_yticks(range(len(methods)), methods, fontsize=FONT_SIZE)
    axes.invert_yaxis()
    axes.set_xlabel("share of samples whose 95% interval holds the truth", fontsize=FONT_SIZE)
    axes.legend(fontsize=FONT_SIZE - 1, loc="lower left", frameon=False)
    plain_axes(axes)
    return axes


def _clearly_short(table: pd.DataFrame) -> pd.Series:
    """Say where fewer samples held the truth or warned than chance lets fall below the promised share."""
    times = (table["held_or_warned"] * table["seeds"]).round()
    chance = binom.cdf(times, table["seeds"], PROMISED_SHARE)
    return pd.Series(chance < CHANCE, index=table.index)


def _cells(recipe: CoverageRecipe) -> list[_Cell]:
    tasks = list(COVERAGE_TASKS) if recipe.tasks is None else list(recipe.tasks)
    trained_tasks = tasks if recipe.trained_tasks is None else list(recipe.trained_tasks)
    for task in (*tasks, *trained_tasks):
        check_name("task", task, COVERAGE_TASKS)
    for method in (*recipe.methods, *recipe.trained_methods):
        check_name("method", method, ESTIMATORS)
    first, steps = recipe.first_seed, recipe.max_steps
    # Seeds are the outer loop: what is there when a run is stopped is a table of fewer of them.
    closed = [
        _Cell(task, method, n, first + done, min(SEEDS_OF_A_CELL, seeds - done), None)
        for done in range(0, max(recipe.samples.values()), SEEDS_OF_A_CELL)
        for n, seeds in recipe.samples.items()
        if done < seeds
        for task in tasks
        for method in recipe.methods
    ]
    trained = [
        _Cell(task, method, recipe.trained_size, first + done, 1, steps)
        for done in range(recipe.trained_seeds)
        for method in recipe.trained_methods
        for task in trained_tasks
    ]
    auto = [
        _Cell(task, "auto", recipe.auto_size, first + done, 1, None)
        for done in range(recipe.auto_seeds)
        for task in tasks
    ]
    return closed + trained + auto


def _read(cell: _Cell) -> Values:
    """Read every sample of a cell; where the method does not apply, say why."""
    left_out = why_left_out(cell.method, draw(cell.task, cell.n, cell.first_seed))
    if left_out:
        return {"left_out": left_out}
    settings = {} if cell.max_steps is None else {"max_steps": cell.max_steps}
    readings, refused = [], []
    for seed in range(cell.first_seed, cell.first_seed + cell.seeds):
        known = draw(cell.task, cell.n, seed)
        try:
            fitted = make_estimator(cell.method, seed=seed).set_params(**settings).fit(known.x, known.y)
        except InputError as error:
            refused.append(str(error))
            continue
        readings.append(_reading(fitted.estimate_, known.nats))
    return {"readings": readings, "refused": refused} if readings else {"left_out": refused[0]}


def _reading(found: Estimate, truth: float) -> dict[str, Any]:
    """Give what :func:`count` counts of one sample."""
    low, high, _ = found.interval_nats or (None, None, None)
    return {
        "truth": truth,
        "kind": found.kind,
        "nats": found.nats,
        "null_nats": found.null_nats,
        "low": low,
        "high": high,
        "words": [warning.word for warning in found.warnings],
        "seconds": found.seconds,
    }
