"""Whether a trained run's variables are what the IMSVD theorem predicts (Niu et al., Theorem 1, Sec. V-C)."""

from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, field_validator

from mitools.analyses.niu2025.figures import predictions_against_theory
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.backends.runtime import Runtime
from mitools.core.entropy import LOG2
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.encoders.sources.run import run_spec
from mitools.features.store import FeatureStore, default_root
from mitools.measures.item_split import item_groups
from mitools.report.figures.save import write_chart
from mitools.report.variables.subject import CHUNK, Subject, open_subject
from mitools.training.recipes import TrainingRecipe

STAGES = ("untrained", "trained")

PREDICTIONS = {
    "one_hot": "every variable of every item is one-hot",
    "uniform": "every unit is used as often as the others",
    "independent": "no two variables share information",
    "invariant": "both views of an item take one value",
}
"""What Theorem 1 says of the least loss, in the order of the table."""

Z = 1.959964

HALF = 0.5
"""Share of one-hot variables below which independence says little."""


class SoftVariablesRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        A run of ``imsvd``.
    data
        Held-out images that its variables are measured on.
    view
        By name: how two views of an image are drawn there.
    seed
        Of views and permutations.
    """

    training: TrainingRecipe
    data: Annotated[str, Field(min_length=1)]
    view: Annotated[str, Field(min_length=1)] = "simclr?strength=0.5&blur=0"
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("training")
    @classmethod
    def _train_soft_variables(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "imsvd":
            raise ValueError("the method must be imsvd: others have no soft variables")
        return training


class Mean(NamedTuple):
    """A mean over items, and its 95% interval."""

    value: float
    low: float
    high: float


def run(
    recipe: SoftVariablesRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train a run and hold its variables, and those of the untrained network, against the theorem.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.data)
    runtime = runtime or Runtime()
    runs = train_all({"imsvd": recipe.training}, out, runtime, advance)
    if not runtime.is_main:
        return None
    spec, kept = run_spec(runs["imsvd"].path), ResultStore(out / "cells")
    specs = {"untrained": f"{spec}@epoch=0", "trained": spec}
    rows = []
    for stage, encoder in specs.items():
        request = {"stage": stage, "recipe": recipe.model_dump(mode="json")}
        values = kept.cell("variables", request, lambda: _measured(recipe, encoder, runtime, advance))  # noqa: B023
        rows += [{"stage": stage, "prediction": name} | values[name] for name in PREDICTIONS]
    table = pd.DataFrame(rows)
    subject = subject_of(recipe.data, table)
    figures = write_chart(out / "predictions", predictions_against_theory, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def _measured(recipe: SoftVariablesRecipe, encoder: str, runtime: Runtime, advance: Advance | None) -> Values:
    """Measure one network's variables: for each prediction the number, its interval, and the theory."""
    subject = open_subject(
        encoder,
        recipe.data,
        FeatureStore(default_root()),
        how="own",
        view=recipe.view,
        seed=recipe.seed,
        device=str(runtime.device),
        advance=advance,
    )
    one_hot, agreement = per_item(subject)
    groups, found = item_groups(subject.data), subject.reading
    chance = float(np.square(found.marginals).sum(axis=1).mean())
    measured: Values = {
        "one_hot": mean_of(one_hot, groups)._asdict() | {"theory": 1.0, "unit": "share above 0.9"},
        "invariant": mean_of(agreement, groups)._asdict()
        | {"theory": 1.0, "unit": "probability", "by_chance": chance},
    }
    theories = {
        "uniform": ("entropy", float(np.log2(subject.discretiser.units))),
        "independent": ("redundancy", 0.0),
    }
    for name, (reading, theory) in theories.items():
        estimate = getattr(found, reading)
        low, high, _ = estimate.interval_bits
        null = None if estimate.null_nats is None else estimate.null_nats / LOG2
        measured[name] = {
            "value": estimate.bits, "low": low, "high": high, "theory": theory, "unit": "bits",
            "by_chance": null,
        }  # fmt: skip
    return measured


def per_item(subject: Subject) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each item's share of variables above 0.9, and how probable one value in both its views is.

    Returns
    -------
    one_hot, agreement
        Shape (n,) each.
    """
    assert subject.viewed is not None
    one_hot, agreement = [], []
    for start in range(0, len(subject.rows), CHUNK):
        items = slice(start, start + CHUNK)
        q = subject.discretiser(subject.rows[items])
        first, second = (subject.discretiser(subject.viewed[items, k]) for k in range(2))
        one_hot.append((q.max(axis=2) > 0.9).mean(axis=1))
        agreement.append((first * second).sum(axis=2).mean(axis=1))
    return np.concatenate(one_hot), np.concatenate(agreement)


def mean_of(values: NDArray[np.float64], groups: NDArray[np.int64] | None = None) -> Mean:
    """Give a mean over items, and its interval from the spread of items, or of groups of them.

    Examples
    --------
    >>> mean_of(np.array([0.0, 1.0, 1.0, 0.0])).value
    0.5
    """
    value = float(values.mean())
    numbers = np.arange(len(values)) if groups is None else groups
    deviations = np.bincount(numbers, values - value)
    count = len(np.unique(numbers))
    error = float(np.sqrt(np.square(deviations).sum() * count / max(1, count - 1)) / len(values))
    return Mean(value, value - Z * error, value + Z * error)


def describe(table: pd.DataFrame) -> str:
    """Say which of the theorem's predictions hold, and how near the others are.

    Parameters
    ----------
    table
        Rows as ``results.csv`` has them.
    """
    rows = table.set_index(["stage", "prediction"])
    parts, holding = [], []
    for name, says in PREDICTIONS.items():
        row, before = rows.loc[("trained", name)], rows.loc[("untrained", name)]
        holds = row["low"] <= row["theory"] <= row["high"]
        holding += [says] if holds else []
        moved = _distance(row) < _distance(before) and (
            row["high"] < before["low"] or row["low"] > before["high"]
        )
        parts.append(
            f"{name} {_shown(row)} where {row['theory']:.3g} is predicted"
            f" ({'holds' if holds else 'does not hold'};"
            f" {_shown(before)} before training, {'nearer now' if moved else 'not nearer now'})"
        )
    verdict = (
        f"Within their intervals hold: {listed(holding)}." if holding else "None holds within its interval."
    )
    text = f"Of what Theorem 1 predicts at the least loss: {'; '.join(parts)}. {verdict}"
    if rows.loc[("trained", "one_hot"), "value"] < HALF:
        text += (
            " Most variables are far from one-hot: values drawn from such share little, whatever they say."
        )
    return text


def _distance(row: pd.Series) -> float:
    return abs(row["value"] - row["theory"])


def _shown(row: pd.Series) -> str:
    unit = " bits" if row["unit"] == "bits" else ""
    return f"{row['value']:.3g} ({row['low']:.3g} to {row['high']:.3g}){unit}"
