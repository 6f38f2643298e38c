"""How far does MINE read above the truth on the items it was fitted to? Gaussians of known information."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.entropy import nats_to_bits
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.neural.fit_many import Problem
from mitools.estimators.neural.mine_protocol import MineProtocol, ProtocolCheck, fit_protocols
from mitools.estimators.warnings import two_sided
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE, plain_axes
from mitools.training.recipes import Count, Positive

PAIR_DIMENSIONS = 20
"""Of x and of y."""


class MineCheckRecipe(Recipe):
    """What the check is made from.

    Attributes
    ----------
    nats
        The truths: one panel each.
    n
        Pairs drawn for each.
    hidden, batch_size, learning_rate, steps, looks
        Of :class:`mitools.estimators.neural.mine_protocol.MineProtocol`.
    seed
        Of pairs and critics.
    """

    nats: Annotated[tuple[Positive, ...], Field(min_length=1)] = (0.5, 2.0, 3.5, 5.0)
    n: Annotated[int, Field(ge=50)] = 10_000
    hidden: Count = 1024
    batch_size: Annotated[int, Field(ge=2)] = 1000
    learning_rate: Positive = 1e-4
    steps: Count = 10_000
    looks: Count = 20
    seed: int = 0


def run(
    recipe: MineCheckRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Fit MINE by protocol to pairs of known information, and read it on the way, in-sample and held out.

    Parameters
    ----------
    recipe
        See :class:`MineCheckRecipe`.
    out
        Folder for everything; readings that are kept there are not taken again.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    runtime
        Says on which device.

    Returns
    -------
    Finding or None
        None in all processes but the first.
    """
    runtime = runtime or Runtime()
    if not runtime.is_main:
        return None
    if advance:
        advance(f"fitting {2 * len(recipe.nats)} critics", 0, len(recipe.nats))
    device = str(runtime.device)
    kept = ResultStore(out / "cells").cell(
        "mine-check", {"recipe": recipe.model_dump(mode="json")}, lambda: {"rows": _rows(recipe, device)}
    )
    table = pd.DataFrame(kept["rows"])
    critic = (
        f"The critic's hidden layers are {recipe.hidden:,} wide, and a step at rate"
        f" {recipe.learning_rate:g} sees {recipe.batch_size:,} pairs (Cui et al. 2022, A.5: 1,024, 0.0001"
        " and 1,000). Shaded: 95% intervals."
    )
    subject = subject_line("pairs of known information", recipe.n, bars="")
    figures = write_chart(out / "mine_check", excess_chart, table, critic, subject=subject)
    return write_finding(table, describe(table), out, figures)


def pairs_of(nats: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pairs of 20 + 20 dimensions whose coordinates share the given nats in all, evenly.

    Parameters
    ----------
    nats
        I(X;Y): 20 pairs of correlation r have ``-10 log(1 - r^2)``.
    n, seed
        How many, and the seed they are drawn by.
    """
    correlation = (1 - np.exp(-2 * nats / PAIR_DIMENSIONS)) ** 0.5
    joint = Gaussian.sparse(PAIR_DIMENSIONS, PAIR_DIMENSIONS, PAIR_DIMENSIONS, correlation)
    return joint.draw(n, np.random.default_rng([seed, round(1000 * nats)]))


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say.

    Parameters
    ----------
    table
        One row a truth and look, as ``results.csv`` has them.
    """
    last = table[table["step"] == table["step"].max()]
    parts = [
        f"{row.truth_bits:.2f} bits: {row.in_sample_bits:.2f} in-sample, {row.held_out_bits:.2f}"
        f" ({row.held_out_low:.2f} to {row.held_out_high:.2f}) held out"
        for row in last.itertuples()
    ]
    first = last.iloc[0]
    text = (
        f"After {int(first['step']):,} steps on {int(first['n_train']):,} pairs the last critic reads, of"
        f" {'; of '.join(parts)}. "
    )
    above = last[last["in_sample_bits"] > last["truth_bits"]]
    excess = last["in_sample_bits"] - last["held_out_bits"]
    text += (
        f"In-sample it lies above the truth in {len(above)} of {len(last)} panels, and above the held-out"
        f" reading by {excess.min():.2f} to {excess.max():.2f} bits."
    )
    null, null_held_out = last["null_in_sample_bits"], last["null_held_out_bits"]
    text += (
        f" On pairs shuffled apart, where the truth is 0, it reads {null.min():.2f} to {null.max():.2f}"
        f" in-sample and {null_held_out.min():.2f} to {null_held_out.max():.2f} held out."
    )
    wrong = last[last["held_out_low"] > last["truth_bits"]]
    if wrong.empty:
        return text + " No held-out interval lies above the truth."
    return (
        text + f" {len(wrong)} held-out intervals lie above the truth, which a lower bound should seldom do."
    )


def excess_chart(
    table: pd.DataFrame, caption: str = "", ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a panel a truth: both readings against steps, the truth a line, what lies between them grey.

    Parameters
    ----------
    table
        As ``results.csv``.
    caption
        Said of the critic below the panels.
    ax, figure
        Where to draw, one axes a truth; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (truths,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    truths = list(dict.fromkeys(table["truth_bits"]))
    panels = open_panels(
        ax, figure, [f"{truth:.2f} bits" for truth in truths], (2.6 * len(truths), 2.9), layout="constrained",
        room=(0.0, 0.8),
    )  # fmt: skip
    for axes, truth in zip(panels.axes, truths, strict=True):
        _draw_readings(axes, table[table["truth_bits"] == truth], truth)
    panels.axes[0].set_ylabel("MINE (bits)", fontsize=FONT_SIZE)
    handles, _ = panels.axes[0].get_legend_handles_labels()
    add_key(panels, handles, loc="lower left", bbox_to_anchor=(0.02, 1.0), ncols=3, fontsize=FONT_SIZE - 1)
    add_caption(panels, caption, y=-0.02)
    return panels.array


def _draw_readings(axes: Axes, rows: pd.DataFrame, truth: float) -> None:
    plain_axes(axes)
    axes.axhline(truth, color="black", linewidth=1, label="truth")
    axes.axhline(0, color="black", linewidth=0.4)
    axes.fill_between(
        rows["step"], rows["held_out_bits"], rows["in_sample_bits"], color="0.9", linewidth=0,
        label="in-sample minus held out",
    )  # fmt: skip
    for name, label, colour, marker, line in (
        ("in_sample", "in-sample: point estimate", ORANGE, "o", "--"),
        ("held_out", "held out: lower bound", BLUE, "^", "-"),
        ("null_in_sample", "in-sample, truth 0", ORANGE, "o", ":"),
    ):
        n = int(rows["n_train" if "in_sample" in name else "n_report"].iloc[0])
        axes.plot(
            rows["step"], rows[f"{name}_bits"], color=colour, marker=marker, linestyle=line, linewidth=1,
            markersize=3, markerfacecolor="white" if name.startswith("null") else colour,
            label=f"{label}, n = {n:,}",
        )  # fmt: skip
    axes.fill_between(
        rows["step"], rows["held_out_low"], rows["held_out_high"], color=BLUE, alpha=0.2, linewidth=0
    )
    axes.set_title(f"I(X;Y) = {truth:.2f} bits", fontsize=FONT_SIZE)
    axes.set_xlabel("step", fontsize=FONT_SIZE)


def _rows(recipe: MineCheckRecipe, device: str) -> list[Values]:
    estimator = MineProtocol(
        hidden=recipe.hidden,
        batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        steps=recipe.steps,
        checks=recipe.looks,
        device=device,
        seed=recipe.seed,
    )
    problems = [Problem(*pairs_of(nats, recipe.n, recipe.seed)) for nats in recipe.nats]
    fitted = fit_protocols(estimator, problems)
    return [
        {"truth_bits": nats_to_bits(nats), "n": recipe.n, **_look(look, null)}
        for nats, one in zip(recipe.nats, fitted, strict=True)
        for look, null in zip(one.checks_, one.null_checks_, strict=True)
    ]


def _look(look: ProtocolCheck, null: ProtocolCheck) -> Values:
    interval = two_sided(look.held_out.nats, look.held_out.stderr)
    readings = {
        "in_sample_bits": look.in_sample.nats,
        "held_out_bits": look.held_out.nats,
        "held_out_low": interval.low,
        "held_out_high": interval.high,
        "null_in_sample_bits": null.in_sample.nats,
        "null_held_out_bits": null.held_out.nats,
    }
    counts = {"n_train": len(look.in_sample.influence), "n_report": len(look.held_out.influence)}
    return {"step": look.step, **counts, **{name: nats_to_bits(nats) for name, nats in readings.items()}}
