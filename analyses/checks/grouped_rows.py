"""How often do intervals hold the truth where rows come in groups? With ``groups=`` and without."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import xlogy
from scipy.stats import binomtest, norm

from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE, plain_axes
from mitools.training.recipes import Count, Positive

Method = Literal["certificate", "ksg", "infonce"]

METHODS: tuple[Method, ...] = ("certificate", "ksg", "infonce")
"""In the order of the figure."""

CORRELATION = 0.7
"""Of the normal pairs."""

SEPARATION, CLASSES = 2.0, 4
"""Distance of neighbouring classes in standard deviations, and how many there are."""

CONFIDENCE = 0.95
"""How often an interval is to hold the truth."""


class GroupedRowsRecipe(Recipe):
    """What the check is made from.

    Attributes
    ----------
    methods
        Of ``certificate``, ``ksg`` and ``infonce``.
    samples, infonce_samples
        Drawn for each method; InfoNCE, which trains, takes most of the time.
    groups, most_rows
        Groups of a sample, and rows of the greatest: sizes are drawn from 1 to so many.
    own_share
        Share of the variance that the rows of a group have in common.
    hidden, learning_rate, steps
        Of InfoNCE's critic: width of its hidden layer, and its training.
    seed
        Of samples and estimators.
    """

    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = METHODS
    samples: Count = 100
    infonce_samples: Count = 100
    groups: Annotated[int, Field(ge=50)] = 200
    most_rows: Count = 20
    own_share: Annotated[float, Field(ge=0, le=1)] = 0.8
    hidden: Count = 32
    learning_rate: Positive = 1e-3
    steps: Count = 400
    seed: int = 0


class GroupedSample(NamedTuple):
    """Paired rows and the group of each.

    Attributes
    ----------
    x, y, groups
        Shapes (n, 1), (n,) and (n,).
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64] | NDArray[np.int64]
    groups: NDArray[np.int64]


def run(
    recipe: GroupedRowsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Count the intervals that hold the truth, with the groups named and not.

    Parameters
    ----------
    recipe
        See :class:`GroupedRowsRecipe`.
    out
        Folder for everything; samples that are kept there are not read again.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    runtime
        Says which process writes.

    Returns
    -------
    Finding or None
        None in all processes but the first.
    """
    if runtime is not None and not runtime.is_main:
        return None
    store = ResultStore(out / "cells")
    asked = recipe.model_dump(mode="json", exclude={"samples", "infonce_samples", "methods"})
    cells = [
        (method, sample)
        for method in recipe.methods
        for sample in range(recipe.infonce_samples if method == "infonce" else recipe.samples)
    ]
    rows: list[Values] = []
    for done, (method, sample) in enumerate(cells):
        if advance:
            advance(method, done, len(cells))
        key = {"recipe": asked, "method": method, "sample": sample}
        rows += store.cell("grouped-rows", key, partial(_read, recipe, method, sample))["rows"]
    table = pd.DataFrame(rows)
    caption = (
        f"Samples of {recipe.groups} groups of 1 to {recipe.most_rows} rows with"
        f" {recipe.own_share:.0%} of their variance in common. Whiskers: 95% intervals of the shares."
    )
    counted = f"{recipe.samples} samples a method, {recipe.infonce_samples} of InfoNCE"
    subject = subject_line("pairs of known information", counted, bars="")
    figures = write_chart(out / "grouped_rows", coverage_chart, coverage(table), caption, subject=subject)
    return write_finding(table, describe(table), out, figures)


def draw(method: str, recipe: GroupedRowsRecipe, seed: int) -> GroupedSample:
    """Draw rows whose marginal distribution is as ever, and which their groups have mostly in common.

    Parameters
    ----------
    method
        The certificate is given normal classes on a line, whose groups are of one class each; others are
        given normal pairs.
    recipe
        How many groups, and how alike their rows are.
    seed
        Of the sample.
    """
    rng = np.random.default_rng([recipe.seed, seed])
    groups = np.repeat(np.arange(recipe.groups), rng.integers(1, recipe.most_rows + 1, recipe.groups))
    common, own = np.sqrt(recipe.own_share), np.sqrt(1 - recipe.own_share)
    if method == "certificate":
        labels = rng.permutation(np.arange(recipe.groups) % CLASSES)[groups]
        noise = common * rng.standard_normal(recipe.groups)[groups] + own * rng.standard_normal(len(groups))
        return GroupedSample((SEPARATION * labels + noise)[:, None], labels, groups)
    first, second = (
        common * rng.standard_normal((recipe.groups, 2))[groups] + own * rng.standard_normal((len(groups), 2))
    ).T
    return GroupedSample(first[:, None], CORRELATION * first + np.sqrt(1 - CORRELATION**2) * second, groups)


def truth_nats(method: str) -> float:
    """Give what an estimator is to read, in nats: for the certificate by quadrature, to about 1e-6."""
    if method != "certificate":
        return float(-0.5 * np.log(1 - CORRELATION**2))
    means = SEPARATION * np.arange(CLASSES)
    grid, step = np.linspace(means[0] - 9, means[-1] + 9, 1000, retstep=True)
    given_class = norm.pdf(grid[:, None], means)
    marginal, joint = given_class.mean(axis=1), given_class @ given_class.T / CLASSES
    of_one, of_both = -xlogy(marginal, marginal).sum() * step, -xlogy(joint, joint).sum() * step**2
    return float(2 * of_one - of_both)


def coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Count how often intervals hold the truth.

    Parameters
    ----------
    table
        As ``results.csv``: one row a method, sample and ``groups`` (named or not).

    Returns
    -------
    DataFrame
        One row a method and ``groups``: ``samples``, ``held``, and the ``share`` with its 95% interval,
        ``low`` and ``high`` (Wilson 1927).
    """
    found = []
    for (method, named), rows in table.groupby(["method", "groups"], sort=False):
        held, samples = int(rows["holds"].sum()), len(rows)
        low, high = binomtest(held, samples).proportion_ci(method="wilson")
        values = {"method": method, "groups": named, "samples": samples, "held": held}
        found.append(values | {"share": held / samples, "low": low, "high": high})
    return pd.DataFrame(found)


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    """
    counts = coverage(table).set_index(["method", "groups"])
    parts = [
        f"{method}: {counts.loc[(method, 'named'), 'held']} with the groups named and"
        f" {counts.loc[(method, 'not named'), 'held']} without, of"
        f" {counts.loc[(method, 'named'), 'samples']}"
        for method in dict.fromkeys(table["method"])
    ]
    return f"Intervals of 95% that hold the truth: {'; '.join(parts)}."


def coverage_chart(
    table: pd.DataFrame, caption: str = "", ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw how often the intervals of each method hold the truth, with the groups named and not.

    Parameters
    ----------
    table
        As :func:`coverage` gives it.
    caption
        Written below.
    ax, figure
        Where to draw: one axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (1,).

    Raises
    ------
    InputError
        When a column is missing, or the table has no rows.
    """
    require_columns(table, ["method", "groups", "share", "low", "high"])
    panels = open_panels(ax, figure, ["coverage"], (4.4, 2.6), layout="constrained", room=(0.0, 0.6))
    (axes,) = panels.axes
    plain_axes(axes)
    names = list(dict.fromkeys(table["method"]))
    axes.axhline(CONFIDENCE, color="black", linewidth=0.8, linestyle="--", label="what 95% means")
    for named, colour, marker, offset in (
        ("named", BLUE, "o", -0.08),
        ("not named", ORANGE, "s", 0.08),
    ):
        rows = table[table["groups"] == named]
        places = [names.index(name) + offset for name in rows["method"]]
        reach = [rows["share"] - rows["low"], rows["high"] - rows["share"]]
        label = "groups named" if named == "named" else "not named"
        axes.errorbar(
            places, rows["share"], reach, color=colour, marker=marker, linestyle="none", markersize=5,
            elinewidth=1, label=label,
        )  # fmt: skip
    axes.set_xticks(range(len(names)), names, fontsize=FONT_SIZE)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_ylim(0, 1.03)
    axes.set_ylabel("intervals that hold the truth", fontsize=FONT_SIZE)
    handles, _ = axes.get_legend_handles_labels()
    add_key(panels, handles, loc="lower left", bbox_to_anchor=(0.02, 1.0), ncols=3, fontsize=FONT_SIZE - 1)
    add_caption(panels, caption, width=66, y=-0.02)
    return panels.array


def _read(recipe: GroupedRowsRecipe, method: str, sample: int) -> Values:
    """Read one sample twice."""
    pairs, truth = draw(method, recipe, sample), truth_nats(method)
    estimators: dict[str, Callable[[], ClassPosterior | KSG | VariationalEstimator]] = {
        "certificate": lambda: ClassPosterior(prior="uniform", seed=sample),
        "ksg": lambda: KSG(seed=sample),
        "infonce": lambda: VariationalEstimator(
            hidden=(recipe.hidden,),
            learning_rate=recipe.learning_rate,
            max_steps=recipe.steps,
            seed=sample,
        ),
    }
    rows: list[Values] = []
    for name, groups in (("named", pairs.groups), ("not named", None)):
        # What nobody named is not looked for either: its warning moves no interval.
        found: Estimate = estimators[method]().estimate(pairs.x, pairs.y, groups, dependent=())
        assert found.interval_nats is not None
        low, high, _ = found.interval_nats
        values = {"bits": found.bits, "stderr_bits": found.stderr_bits, "truth_nats": truth}
        limits = {"low_nats": low, "high_nats": high, "holds": bool(low <= truth <= high)}
        rows.append({"method": method, "sample": sample, "groups": name, **values, **limits})
    return {"rows": rows}
