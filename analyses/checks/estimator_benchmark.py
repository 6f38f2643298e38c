"""How close does each estimator come to pairs of known mutual information: the benchmark."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.known_information.tasks import KNOWN_MI_TASKS, KnownMI, find_task
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.registry import ESTIMATORS, make_estimator
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import FONT_SIZE
from mitools.report.tables.write import write_csv

BENCHMARK_PAIRS = 10_000
BENCHMARK_SEED = 20261121
"""A seed on which nothing was developed."""

AIMED_MEAN_ERROR, AIMED_MAX_ERROR = 0.035, 0.15
"""Nats of the mean and of the largest error that were aimed at."""

METHODS_OF_NOISY_ROWS = ("pairwise_lower", "pairwise_upper")

DOES_NOT_APPLY = ("needs ", "bounds what ")
"""What the reasons of :func:`why_left_out` begin with; any other reason is a method that failed."""


def run(
    methods: Sequence[str],
    out: Path,
    tasks: Sequence[str] | None = None,
    n: int = BENCHMARK_PAIRS,
    seed: int = BENCHMARK_SEED,
    folds: int | None = None,
    advance: Advance | None = None,
) -> Finding:
    """Read every method on every task; what was read before is kept.

    Parameters
    ----------
    methods
        Names in :data:`mitools.estimators.registry.ESTIMATORS`.
    out
        Folder for ``results.csv``, ``summary.csv``, ``reading.txt``, the figure and the kept cells.
    tasks
        Names in :data:`mitools.datasets.known_information.tasks.KNOWN_MI_TASKS`; all when None.
    n, seed
        Pairs drawn of each task, and the seed they are drawn by.
    folds
        Of the neural estimators; their own default when None.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When a name is unknown or n is too small.
    """
    names = list(KNOWN_MI_TASKS) if tasks is None else [find_task(name).name for name in tasks]
    neural = {name for name in methods if isinstance(make_estimator(name), CrossFittedEstimator)}
    store = ResultStore(out / "cells")
    rows = []
    for done, (task, method) in enumerate((task, method) for task in names for method in methods):
        if advance:
            advance(f"{method} on {task}", done, len(names) * len(methods))
        on = {"task": task, "method": method, "n": n, "seed": seed}
        settings = {"folds": folds} if folds is not None and method in neural else {}
        cell = store.cell("reading", on | settings, partial(_read, task, method, n, seed, settings))
        rows.append({"task": task, "method": method} | _row(cell))
    table = pd.DataFrame(rows)
    summary = summarise(table)
    write_csv(summary, out / "summary.csv")
    subject = subject_line("pairs of known information", n)
    figures = write_chart(out / "errors", errors_chart, table, subject=subject)
    found = write_finding(table, describe(summary), out, figures)
    return found._replace(files=[*found.files, out / "summary.csv"])


def why_left_out(method: str, known: KnownMI) -> str:
    """Say why a method does not apply to a task; empty where it does."""
    discrete = [side.dtype.kind in "iu" for side in (known.x, known.y)]
    if method == "auto":
        return ""
    if method == "class_posterior":
        return "bounds what two items of one class share, and not I(X;Y)"
    if method in METHODS_OF_NOISY_ROWS:
        return "bounds what rows with noise share, and not these rows"
    if ESTIMATORS[method].needs_symbols and not all(discrete):
        return "needs symbols on both sides"
    if ESTIMATORS[method].needs_labels and not discrete[1]:
        return "needs labels"
    if ESTIMATORS[method].needs_labels and not ESTIMATORS[method].needs_symbols and discrete[0]:
        return "needs numbers beside the labels"
    if not ESTIMATORS[method].needs_labels and any(discrete):
        return "needs numbers, and one side is symbols"
    if method == "barber_agakov" and known.y.ndim == 2 and known.y.shape[1] > 1:
        return "needs one column y"
    if method == "nt_xent" and known.x.shape[1:] != known.y.shape[1:]:
        return "needs as many columns on both sides"
    return ""


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Give each method's errors over the tasks that it applies to, closest first.

    Columns: ``method``, ``tasks``, ``mean_abs_error``, ``max_abs_error``, ``worst_task``, ``mean_error``,
    ``covered`` (share of tasks whose 95% interval holds the truth), ``median_seconds``.
    """
    rows = []
    for method, of_method in table.groupby("method", sort=False):
        readings = of_method.dropna(subset="nats")
        if readings.empty:
            continue
        error = readings["error"]
        inside = readings["truth"].between(readings["low"], readings["high"])
        rows.append(
            {
                "method": method,
                "tasks": len(readings),
                "mean_abs_error": error.abs().mean(),
                "max_abs_error": error.abs().max(),
                "worst_task": readings["task"].loc[error.abs().idxmax()],
                "mean_error": error.mean(),
                "covered": inside.mean(),
                "median_seconds": readings["seconds"].median(),
            }
        )
    columns = ["method", "tasks", "mean_abs_error", "max_abs_error", "worst_task", "mean_error", "covered"]
    summary = pd.DataFrame(rows, columns=[*columns, "median_seconds"])
    return summary.sort_values("mean_abs_error", ignore_index=True)


def describe(summary: pd.DataFrame) -> str:
    """Say in words what the summary shows."""
    if summary.empty:
        return "No method applies to any of these tasks."
    sentences = [
        f"{row.method} is off by {row.mean_abs_error:.3f} nats on average over {row.tasks} tasks, and by"
        f" {row.max_abs_error:.3f} at most ({row.worst_task})"
        for row in summary.itertuples()
    ]
    close = summary[
        (summary["mean_abs_error"] <= AIMED_MEAN_ERROR) & (summary["max_abs_error"] <= AIMED_MAX_ERROR)
    ]["method"]
    end = f"{listed(list(close))} stay" if len(close) > 1 else f"{listed(list(close)) or 'none'} stays"
    aim = f"Of these {end} within {AIMED_MEAN_ERROR} on average and {AIMED_MAX_ERROR} everywhere."
    return f"{'; '.join(sentences)}. {aim}"


def errors_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
    """Draw the error of every method on every task as a number, the darker the farther off.

    Parameters
    ----------
    table
        As :func:`run` makes it; what a method does not apply to stays blank.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    tasks, methods = (list(dict.fromkeys(table[column])) for column in ("task", "method"))
    error = table.pivot(index="task", columns="method", values="error").reindex(tasks, columns=methods)
    truth = table.groupby("task")["truth"].first()
    size = (2.6 + 0.62 * len(methods), 1.1 + 0.17 * len(tasks))
    axes = open_panels(ax, figure, ["errors"], size).axes[0]
    values = error.to_numpy(np.float64)
    drawn = axes.imshow(np.abs(values), cmap="Greys", vmin=0.0, vmax=0.6, aspect="auto")
    bar = axes.figure.colorbar(drawn, ax=axes, pad=0.02, extend="max", shrink=min(1.0, 12 / len(tasks)))
    bar.set_label("distance from the truth (nats)", fontsize=FONT_SIZE - 1)
    bar.ax.tick_params(labelsize=FONT_SIZE - 2)
    failed = _failed(table).reindex(tasks, columns=methods).to_numpy(bool)
    for (row, column), value in np.ndenumerate(values):
        if failed[row, column]:
            axes.text(column, row, "x", ha="center", va="center", fontsize=FONT_SIZE - 2)
        if np.isfinite(value):
            color = "white" if abs(value) > 0.3 else "black"
            shown = f"{value + 0.0:+.2f}"
            axes.text(column, row, shown, ha="center", va="center", color=color, fontsize=FONT_SIZE - 2)
    named = [f"{task}  ({truth[task]:.2f})" for task in tasks]
    axes.set_yticks(range(len(tasks)), named, fontsize=FONT_SIZE - 2)
    axes.set_xticks(range(len(methods)), methods, fontsize=FONT_SIZE - 1, rotation=45, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(
        "reading minus truth (nats); truth in brackets; blank: does not apply; x: could not read these rows",
        fontsize=FONT_SIZE,
    )
    return axes


def _failed(table: pd.DataFrame) -> pd.DataFrame:
    """Say of each task and method whether a method that applies gave no reading."""
    reasons = table["left_out"].fillna("").astype(str) if "left_out" in table else pd.Series("", table.index)
    failed = (reasons != "") & ~reasons.str.startswith(DOES_NOT_APPLY)
    return table.assign(failed=failed).pivot(index="task", columns="method", values="failed")


def _read(task: str, method: str, n: int, seed: int, settings: Values) -> Values:
    known = _sample(task, n, seed)
    values: Values = {
        "d_x": _columns(known.x),
        "d_y": _columns(known.y),
        "truth": known.nats,
        "truth_stderr": known.stderr_nats,
    }
    left_out = why_left_out(method, known)
    if not left_out:
        try:
            estimator = make_estimator(method).set_params(**settings)
            return values | {"estimate": estimator.fit(known.x, known.y).estimate_.to_dict()}
        except InputError as error:
            left_out = str(error)
    return values | {"left_out": left_out}


@cache
def _sample(task: str, n: int, seed: int) -> KnownMI:
    return find_task(task).sample(n, seed)


def _columns(side: np.ndarray) -> int:
    return 1 if side.ndim == 1 else side.shape[1]


def _row(cell: Values) -> dict[str, Any]:
    row = {name: cell[name] for name in ("d_x", "d_y", "truth", "truth_stderr")}
    if "estimate" not in cell:
        return row | {"left_out": cell["left_out"]}
    found = Estimate.from_dict(cell["estimate"])
    low, high, _ = found.interval_nats or (None, None, None)
    return row | {
        "kind": found.kind,
        "chosen": found.settings.get("chosen"),
        "folds": found.settings.get("folds"),
        "nats": found.nats,
        "low": low,
        "high": high,
        "null": found.null_nats,
        "ceiling": found.ceiling_nats,
        "seconds": found.seconds,
        "error": found.nats - cell["truth"],
        "warnings": " ".join(warning.word for warning in found.warnings),
        "left_out": None,
    }


def main(arguments: Iterable[str] | None = None) -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mitools.analyses.checks.estimator_benchmark", description=__doc__
    )
    parser.add_argument("--methods", default="auto", help="names with commas")
    parser.add_argument("--tasks", help="names with commas; all when left out")
    parser.add_argument("--n", type=int, default=BENCHMARK_PAIRS)
    parser.add_argument("--seed", type=int, default=BENCHMARK_SEED)
    parser.add_argument("--folds", type=int, help="of neural estimators; 1 is one split, a third of the time")
    parser.add_argument("--out", type=Path, default=Path("mitools-estimator_benchmark"))
    chosen = parser.parse_args(None if arguments is None else list(arguments))

    def advance(what: str, done: int, total: int) -> None:
        print(f"{done + 1}/{total} {what}", file=sys.stderr)

    tasks = chosen.tasks.split(",") if chosen.tasks else None
    try:
        methods = chosen.methods.split(",")
        found = run(methods, chosen.out, tasks, chosen.n, chosen.seed, chosen.folds, advance)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(found.reading)
    return 0


if __name__ == "__main__":
    sys.exit(main())
