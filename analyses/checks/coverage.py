"""How often do the intervals hold the truth? Every method that prints one, on pairs of known information."""

from collections.abc import Callable
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from mitools.analyses.checks.estimator_benchmark import why_left_out
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.names import check_name
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.known_information.tasks import KNOWN_MI_TASKS, KnownMI, find_task
from mitools.estimators.registry import ESTIMATORS, make_estimator
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE, plain_axes
from mitools.training.recipes import Count

PROMISED_SHARE = 0.9
"""Share of samples in which an interval of 95% must hold the truth, or a warning be raised."""

CLOSED_FORMS = (
    "ksg", "mixed_ksg", "components", "residuals", "gaussian", "gaussian_copula", "discrete", "nsb",
    "predictive_coding", "label_information",
)  # fmt: skip
TRAINED = ("adaptive", "infonce", "dv", "nwj", "smile", "difference_of_entropies")

WORDS_OF_DOUBT = frozenset(
    {
        "saturated", "overfit", "still_rising", "small_sample", "undersampled", "few_pairs",
        "methods_disagree", "rises_with_n",
    }
)  # fmt: skip
"""Warnings that say that the truth may lie elsewhere."""

Draw = Callable[[np.random.Generator, int], np.ndarray]

AWKWARD_COLUMNS: dict[str, Draw] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "ties": lambda rng, n: np.maximum(rng.standard_normal(n), 0.0),
    "zero-inflated": lambda rng, n: np.where(rng.random(n) < 0.6, 0.0, rng.exponential(size=n)),
    "clusters": lambda rng, n: 10.0 * rng.integers(0, 3, n) + rng.standard_normal(n),
}
"""Columns of which two are drawn independently: whatever is read of them is chance."""

INDEPENDENT_TASKS = {
    f"independent: {one}, {other}": (one, other) for one, other in permutations(AWKWARD_COLUMNS, 2)
}


class CoverageRecipe(Recipe):
    """What is repeated how often.

    Attributes
    ----------
    tasks
        Names in :data:`KNOWN_MI_TASKS` or :data:`INDEPENDENT_TASKS`; all of both when None.
    methods, sizes, seeds
        Estimators that train nothing, the numbers of pairs they read, and how many samples of each.
    trained_methods, trained_size, trained_seeds, max_steps
        The same of those that train networks, and their steps at most.
    auto_size, auto_seeds
        The same of ``auto``; its networks train as by default.
    """

    tasks: tuple[str, ...] | None = None
    methods: tuple[str, ...] = CLOSED_FORMS
    sizes: Annotated[tuple[Annotated[int, Field(ge=50)], ...], Field(min_length=1)] = (300, 1000, 3000)
    seeds: Count = 100
    trained_methods: tuple[str, ...] = TRAINED
    trained_size: Annotated[int, Field(ge=50)] = 1000
    trained_seeds: Count = 20
    max_steps: Count = 500
    auto_size: Annotated[int, Field(ge=50)] = 10_000
    auto_seeds: Annotated[int, Field(ge=0)] = 5


class _Cell(NamedTuple):
    """One method on one task: what is repeated over seeds."""

    task: str
    method: str
    n: int
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
    store, rows = ResultStore(out / "cells"), []
    for done, cell in enumerate(cells):
        if advance:
            advance(f"{cell.method} on {cell.task}, n = {cell.n:,}", done, len(cells))
        kept = store.cell("coverage", cell._asdict(), partial(_read, cell))
        if "readings" in kept:
            rows.append(_row(cell, pd.DataFrame(kept["readings"])))
    table = pd.DataFrame(rows)
    figures = write_chart(out / "coverage", coverage_chart, table)
    return write_finding(table, describe(table), out, figures)


def draw(task: str, n: int, seed: int) -> KnownMI:
    """Draw n pairs of a task by its name.

    Parameters
    ----------
    task
        In :data:`KNOWN_MI_TASKS` or :data:`INDEPENDENT_TASKS`.
    n, seed
        How many, and the seed they are drawn by.
    """
    if task not in INDEPENDENT_TASKS:
        return find_task(task).sample(n, seed)
    rng = np.random.default_rng([seed, *task.encode()])
    x, y = (AWKWARD_COLUMNS[name](rng, n) for name in INDEPENDENT_TASKS[task])
    return KnownMI(task, x, y, 0.0, "independent columns")


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
        short = cells[cells["held_or_warned"] < PROMISED_SHARE]
        text = (
            f"{method} held the truth in {cells['held'].mean():.0%} of all samples, and held it or warned in"
            f" {PROMISED_SHARE:.0%} or more in {len(cells) - len(short)} of {len(cells)} cells"
        )
        worst = short.nsmallest(3, "held_or_warned")
        names = [f"{row.task} at n = {row.n:,} ({row.held_or_warned:.0%})" for row in worst.itertuples()]
        sentences.append(text + (f" (the worst: {listed(names)})" if names else ""))
    independent = table[table["truth"] == 0]
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
    warned = table["held_or_warned"] >= PROMISED_SHARE
    for mask, color, label in ((warned, BLUE, "held, or warned"), (~warned, ORANGE, "neither")):
        axes.plot(table["held"][mask], (place + spread)[mask], ".", color=color, ms=4, label=label)
    axes.axvline(0.95, color="0.6", lw=0.8)
    axes.set_yticks(range(len(methods)), methods, fontsize=FONT_SIZE)
    axes.invert_yaxis()
    axes.set_xlabel("share of samples whose 95% interval holds the truth", fontsize=FONT_SIZE)
    axes.legend(fontsize=FONT_SIZE - 1, loc="lower left", frameon=False)
    plain_axes(axes)
    return axes


def _cells(recipe: CoverageRecipe) -> list[_Cell]:
    known = [*KNOWN_MI_TASKS, *INDEPENDENT_TASKS]
    tasks = known if recipe.tasks is None else list(recipe.tasks)
    for task in tasks:
        check_name("task", task, known)
    for method in (*recipe.methods, *recipe.trained_methods):
        check_name("method", method, ESTIMATORS)
    closed = [
        _Cell(task, method, n, recipe.seeds, None)
        for n in recipe.sizes
        for task in tasks
        for method in recipe.methods
    ]
    trained = [
        _Cell(task, method, recipe.trained_size, recipe.trained_seeds, recipe.max_steps)
        for task in tasks
        for method in recipe.trained_methods
    ]
    auto = [_Cell(task, "auto", recipe.auto_size, recipe.auto_seeds, None) for task in tasks]
    return closed + trained + (auto if recipe.auto_seeds else [])


def _read(cell: _Cell) -> Values:
    """Read every sample of a cell; where the method does not apply, say why."""
    left_out = why_left_out(cell.method, draw(cell.task, cell.n, 0))
    if left_out:
        return {"left_out": left_out}
    settings = {} if cell.max_steps is None else {"max_steps": cell.max_steps}
    readings = []
    for seed in range(cell.seeds):
        known = draw(cell.task, cell.n, seed)
        try:
            fitted = make_estimator(cell.method, seed=seed).set_params(**settings).fit(known.x, known.y)
        except InputError as error:
            return {"left_out": str(error)}
        readings.append(_reading(fitted.estimate_, known.nats))
    return {"readings": readings}


def _reading(found: Estimate, truth: float) -> dict[str, Any]:
    low, high, _ = found.interval_nats or (None, None, None)
    # A lower bound promises that the truth does not lie below it, and no more.
    above = low is None or low <= truth
    below = high is None or truth <= high or found.kind == "lower bound"
    return {
        "truth": truth,
        "error": found.nats - truth,
        "width": None if low is None or high is None else high - low,
        "held": above and below,
        "without_interval": low is None,
        "warned": any(warning.word in WORDS_OF_DOUBT for warning in found.warnings),
        "claimed": low is not None and low > max(found.null_nats or 0.0, 0.0),
        "seconds": found.seconds,
    }


def _row(cell: _Cell, readings: pd.DataFrame) -> dict[str, Any]:
    return {
        "task": cell.task,
        "method": cell.method,
        "n": cell.n,
        "seeds": len(readings),
        "truth": readings["truth"].iloc[0],
        "held": readings["held"].mean(),
        "warned": readings["warned"].mean(),
        "held_or_warned": (readings["held"] | readings["warned"]).mean(),
        "without_interval": readings["without_interval"].mean(),
        "claimed": readings["claimed"].mean(),
        "mean_error": readings["error"].mean(),
        "mean_width": readings["width"].astype(float).mean(),
        "median_seconds": readings["seconds"].median(),
    }
