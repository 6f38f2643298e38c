"""Whether the information of the task is all that a training objective needs (Lee et al., V-A, Table III)."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.lee2023.figures.accuracy_figure import accuracy_beside_information
from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import require_held_out, runs_of_different_methods, train_all
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.training.recipes import TrainingRecipe

PAPER_COMPARISONS = (("class", "simclr"), ("supcon", "class"))
"""What Lee et al. found in Table III: the first of each pair is the more accurate."""

SHARED_SETTINGS = ("encoder", "data", "epochs", "batch_size", "image_size")
"""What all runs have in common, so that objectives alone are compared."""


UNTRAINED = "untrained"
"""In the column ``objective``: the network as all runs start from it."""


class ObjectivesRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    runs
        One run an objective, with the same :data:`SHARED_SETTINGS`.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`.
    """

    runs: Annotated[tuple[TrainingRecipe, ...], Field(min_length=2)]
    evaluation: EvaluationRecipe

    @field_validator("runs")
    @classmethod
    def _compare_objectives_alone(cls, runs: tuple[TrainingRecipe, ...]) -> tuple[TrainingRecipe, ...]:
        return runs_of_different_methods(runs, SHARED_SETTINGS, "objective")


def run(
    recipe: ObjectivesRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train one encoder under every objective, and measure accuracy and information of each.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.runs[0].data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    runs = train_all({one.method: one for one in recipe.runs}, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    rows = []
    for name, folder in runs.items():
        last = folder.metrics()[-1]
        in_training = {column: last.get(column) for column in ("in_training_bits", "ceiling_bits")}
        rows.append({"objective": name} | evaluation.certify(run_spec(folder.path)).columns | in_training)
    untrained = evaluation.certify(run_spec(next(iter(runs.values())).path, 0))
    table = pd.DataFrame([*rows, {"objective": UNTRAINED} | untrained.columns])
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(
        out / "objectives", accuracy_beside_information, table, "objective", subject=subject
    )
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say, and whether the paper's two comparisons are found again.

    Parameters
    ----------
    table
        One row an objective, as ``results.csv`` has them.
    """
    ordered = table.sort_values("linear_acc", ascending=False)
    values = [
        f"{row['objective']} {row['linear_acc']:.1%} with {row['i_class_bits']:.2f} bits"
        for _, row in ordered.iterrows()
    ]
    text = (
        f"Linear accuracy and certified I_class, of H(C) = {table['h_c_bits'].iloc[0]:.2f} bits:"
        f" {listed(values)}."
    )
    rows = table.set_index("objective")
    for better, worse in PAPER_COMPARISONS:
        if better in rows.index and worse in rows.index:
            text += " " + _verdict(rows.loc[better], rows.loc[worse])
    return text


def _verdict(better: pd.Series, worse: pd.Series) -> str:
    points = 100 * (better["linear_acc"] - worse["linear_acc"])
    names = f"{better.name} and {worse.name}"
    if better["linear_acc_low"] <= worse["linear_acc_high"] and (
        worse["linear_acc_low"] <= better["linear_acc_high"]
    ):
        return (
            f"{names} are not told apart ({points:+.1f} points, intervals overlap); Lee et al. found"
            f" {better.name} better."
        )
    if points > 0:
        return f"{better.name} is {points:.1f} points above {worse.name}, as in Lee et al."
    return f"{better.name} is {-points:.1f} points below {worse.name}, unlike in Lee et al."
