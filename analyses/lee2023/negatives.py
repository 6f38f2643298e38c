"""Where negatives may come from: the data, their other half, other data, noise (Lee et al., Table X)."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.lee2023.figures.accuracy_figure import accuracy_beside_information
from mitools.analyses.shared.evaluation import Certified, Evaluation, EvaluationRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.statistics.paired_differences import compare
from mitools.training.recipes import TrainingRecipe

UNTRAINED = "untrained"
"""In the column ``negatives``: the network as all runs start from it."""

GAIN_COLUMNS = ("gain_bits", "gain_low", "gain_high")
"""How much more certified information than with the first source."""

PAPER_FINDING = "Lee et al. found the other half of the classes better, and other data and noise worse."


class NegativeSource(Recipe):
    """Where the negatives of one run come from.

    Attributes
    ----------
    name
        In the table and the figure.
    negatives
        A data spec or ``noise``; the batch itself when None.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    negatives: str | None = None


class NegativesRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What all runs share: positives always come from its data.
    sources
        One run each; the first is what the others are compared with.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`.
    """

    training: TrainingRecipe
    sources: Annotated[tuple[NegativeSource, ...], Field(min_length=2)]
    evaluation: EvaluationRecipe

    @field_validator("training")
    @classmethod
    def _leave_the_negatives_to_the_sources(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method not in ("simclr", "class") or training.options["negatives"] is not None:
            raise ValueError("the objective must be simclr or class, and negatives stand in sources")
        return training

    @field_validator("sources")
    @classmethod
    def _name_sources_once(cls, sources: tuple[NegativeSource, ...]) -> tuple[NegativeSource, ...]:
        if len({one.name for one in sources} - {UNTRAINED}) < len(sources):
            raise ValueError("every source has a name of its own")
        return sources


def run(
    recipe: NegativesRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train one encoder with negatives of every source, and measure all on the positives' own classes.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    recipes = {one.name: recipe.training.with_options(negatives=one.negatives) for one in recipe.sources}
    runs = train_all(recipes, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    encoders = {name: run_spec(folder.path) for name, folder in runs.items()}
    base = recipe.sources[0].name
    encoders[UNTRAINED] = f"{encoders[base]}@epoch=0"
    found = {name: evaluation.certify(encoder) for name, encoder in encoders.items()}
    sources = {one.name: one.negatives or "the batch" for one in recipe.sources} | {UNTRAINED: "no training"}
    rows = [
        {"negatives": name, "from": source}
        | found[name].columns
        | (_gain(found[name], found[base]) if name != base else dict.fromkeys(GAIN_COLUMNS))
        for name, source in sources.items()
    ]
    table = pd.DataFrame(rows)
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(out / "negatives", accuracy_beside_information, table, "negatives", subject=subject)
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say.

    Parameters
    ----------
    table
        One row a source, the one that others are compared with first, as ``results.csv`` has them.
    """
    base, others = table.iloc[0], table.iloc[1:]
    text = (
        f"With negatives from {base['negatives']}, linear accuracy is {base['linear_acc']:.1%} and certified"
        f" I_class {base['i_class_bits']:.2f} of {base['h_c_bits']:.2f} bits. Against that, "
    )
    text += listed([_change(row, base) for _, row in others.iterrows()]) + "."
    best = table.loc[table["linear_acc"].idxmax()]
    differing = others[(others["gain_low"] > 0) | (others["gain_high"] < 0)]
    text += f" The highest accuracy is that of {best['negatives']};"
    if differing.empty:
        return text + f" none is told apart from the first by the information it leaves. {PAPER_FINDING}"
    better = list(differing.loc[differing["gain_bits"] > 0, "negatives"])
    worse = list(differing.loc[differing["gain_bits"] < 0, "negatives"])
    parts = [f"{word} with {listed(names)}" for names, word in ((better, "more"), (worse, "less")) if names]
    return (
        text + f" beyond its interval the encoder holds {listed(parts)} than with the first. {PAPER_FINDING}"
    )


def _gain(one: Certified, base: Certified) -> dict[str, float]:
    """Give how much more one encoder holds than another, on the same images and so with a paired interval."""
    pair = compare({"one": one.reading, "base": base.reading})
    columns = ("difference_bits", "low_bits", "high_bits")
    return {name: float(pair[column].iloc[0]) for name, column in zip(GAIN_COLUMNS, columns, strict=True)}


def _change(row: pd.Series, base: pd.Series) -> str:
    points = 100 * (row["linear_acc"] - base["linear_acc"])
    return (
        f"{row['negatives']} gives {points:+.1f} points ({row['linear_acc']:.1%})"
        f" and {row['gain_bits']:+.2f} bits ({row['gain_low']:+.2f} to {row['gain_high']:+.2f})"
    )
