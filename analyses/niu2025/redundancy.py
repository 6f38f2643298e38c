"""Whether columns without correlation are independent: four methods, a planted case (Niu et al., III-E)."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pydantic import Field, field_validator

from mitools.analyses.niu2025.figures import dependence_beside_correlation
from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe, interval_columns
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import require_held_out, runs_of_different_methods, train_all
from mitools.backends.runtime import Runtime
from mitools.core.entropy import LOG2
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.encoders.sources.run import run_spec
from mitools.measures.item_split import item_groups
from mitools.report.figures.save import write_chart
from mitools.training.recipes import TrainingRecipe
from mitools.training.trained_head import trained_head
from mitools.training.trained_variables import trained_projector
from mitools.variables.discretise import Bins, fit_bins
from mitools.variables.measure import measure_variables

SHARED_SETTINGS = ("encoder", "data", "epochs", "batch_size", "image_size")
"""What all runs have in common."""

PLANTED, INDEPENDENT = "planted", "normal"
"""Cases without a network: columns that are uncorrelated and dependent, and columns that are independent."""

HARMONICS = 16
"""Columns of the planted cases."""


class RedundancyRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    runs
        One run a method, with the same :data:`SHARED_SETTINGS`.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`.
    units
        Equal-mass bins of a column.
    """

    runs: Annotated[tuple[TrainingRecipe, ...], Field(min_length=1)]
    evaluation: EvaluationRecipe
    units: Annotated[int, Field(ge=2)] = 8

    @field_validator("runs")
    @classmethod
    def _compare_methods_alone(cls, runs: tuple[TrainingRecipe, ...]) -> tuple[TrainingRecipe, ...]:
        return runs_of_different_methods(runs, SHARED_SETTINGS, "method")


def run(
    recipe: RedundancyRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train one encoder under every method, and compare the correlation of columns with their dependence.

    Both of the encoder's output and of the head's, on which the method's loss stands; of both the same bins.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.runs[0].data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    runs = train_all({one.method: one for one in recipe.runs}, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation, kept = Evaluation(recipe.evaluation, out, runtime, advance), ResultStore(out / "cells")
    groups, seed = item_groups(evaluation.data), recipe.evaluation.seed
    rows: list[dict[str, Any]] = []
    for name, folder in runs.items():
        spec = run_spec(folder.path)
        certified = evaluation.certify(spec).columns
        accuracy = {key: certified[key] for key in ("linear_acc", "linear_acc_low", "linear_acc_high")}
        features = evaluation.features(spec)
        outputs = {"encoder": features.values[:, 0], "head": _through_head(spec, features.values[:, 0])}
        for place, values in outputs.items():
            request = {"rows": features.key, "place": place, "units": recipe.units, "seed": seed}
            found = kept.cell(
                "redundancy",
                request,
                lambda: dependence_of(values, recipe.units, groups, seed),  # noqa: B023
            )
            rows.append({"case": name, "of": place} | _columns_of(found) | accuracy)
    for case, values in planted_rows(len(evaluation.data), seed).items():
        rows.append({"case": case, "of": "columns"} | dependence_of(values, recipe.units, None, seed))
    table = pd.DataFrame(rows)
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(out / "redundancy", dependence_beside_correlation, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def planted_rows(n: int, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Make columns whose truth is known: cosines of multiples of one angle, and independent normals.

    Two cosines of one uniform angle are uncorrelated, and each is nearly determined by the other.

    Returns
    -------
    dict
        Shape (n, 16) each.
    """
    rng = np.random.default_rng([seed, 21])
    angle = rng.uniform(0, 2 * np.pi, (n, 1))
    return {
        PLANTED: np.cos(angle * np.arange(1, HARMONICS + 1)),
        INDEPENDENT: rng.standard_normal((n, HARMONICS)),
    }


def dependence_of(
    rows: NDArray[Any], units: int, groups: NDArray[np.int64] | None = None, seed: int = 0
) -> Values:
    """Compare what the linear correlation of two columns accounts for with what they share.

    Parameters
    ----------
    rows
        Shape (n, d).
    units
        Equal-mass bins of a column.
    groups
        Shape (n,), or None.
    seed
        Of the columns drawn, where there are more than 64, and of permutations.

    Returns
    -------
    dict
        ``dim``, ``mean_abs_correlation``; ``linear_bits``: mean information of two normal variables of such
        correlations, ``-log2(1 - r^2) / 2``, less that of chance, ``1 / 2n`` nats; ``redundancy_bits`` with
        its interval: mean information of two columns in bins, less that of chance; ``null_bits``.
    """
    bins: Bins = fit_bins(rows, units=units, seed=seed)
    found = measure_variables(rows, bins, groups, seed)
    correlation = np.atleast_2d(np.corrcoef(rows[:, bins.columns].astype(np.float64), rowvar=False))
    pairs = correlation[np.triu_indices(len(correlation), 1)]
    linear = -np.log1p(-np.square(np.clip(pairs, -1 + 1e-9, 1 - 1e-9))).mean() / 2 - 1 / (2 * len(rows))
    assert found.redundancy.null_nats is not None
    return {
        "dim": int(rows.shape[1]),
        "mean_abs_correlation": float(np.abs(pairs).mean()),
        "linear_bits": float(linear / LOG2),
        **interval_columns("redundancy", found.redundancy),
        "null_bits": found.redundancy.null_nats / LOG2,
        "n": len(rows),
    }


def describe(table: pd.DataFrame) -> str:
    """Say which cases share more than their correlations account for.

    Parameters
    ----------
    table
        Rows as ``results.csv`` has them.
    """
    names = [f"{row['case']} ({row['of']})" for _, row in table.iterrows()]
    values = [
        f"{name} {row['linear_bits']:.3f} and {row['redundancy_bits']:.3f} bits"
        f" ({row['redundancy_low']:.3f} to {row['redundancy_high']:.3f})"
        for name, (_, row) in zip(names, table.iterrows(), strict=True)
    ]
    more = table["redundancy_low"] > table["linear_bits"]
    none = (table["redundancy_low"] <= 0) & (table["redundancy_high"] >= 0)
    beyond = [name for name, is_more in zip(names, more, strict=True) if is_more]
    independent = [name for name, is_none in zip(names, none, strict=True) if is_none]
    text = (
        "What two columns share as normal variables of their correlation would, and what they share in bins:"
        f" {'; '.join(values)}."
    )
    text += f" Beyond their intervals {listed(beyond)} share more than that." if beyond else (
        " Nowhere is more shared than that, beyond the intervals."
    )  # fmt: skip
    if independent:
        text += f" Not told apart from independent: {listed(independent)}."
    heads = table[(table["of"] == "head")].sort_values("redundancy_bits")
    if len(heads) > 1:
        text += " " + _order(heads)
    return text


def _order(heads: pd.DataFrame) -> str:
    """Compare the head of least redundancy with the next."""
    first, second = heads.iloc[0], heads.iloc[1]
    if first["redundancy_high"] < second["redundancy_low"]:
        return f"Of the heads {first['case']} has the least redundancy, beyond intervals."
    return f"The least redundant heads, {first['case']} and {second['case']}, are not told apart."


def _columns_of(found: Values) -> Values:
    return {key: value for key, value in found.items() if key != "seconds"}


@torch.no_grad()
def _through_head(spec: str, rows: NDArray[Any]) -> NDArray[np.float32]:
    """Apply the head that a run was trained with."""
    head: Any = trained_projector(spec)
    if head is None:
        critic = trained_head(spec)
        assert critic is not None, "every method of the analysis has a head"
        head = critic.head
    found: NDArray[np.float32] = head.eval()(torch.from_numpy(np.array(rows, dtype=np.float32))).numpy()
    return found
