"""Whether more weight on CTC's stages brings more transfer, and at what cost (Figs. 6, 7)."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, field_validator, model_validator

from mitools.analyses.cui2022.changes import VANILLA
from mitools.analyses.cui2022.settings_table import measured_settings
from mitools.analyses.cui2022.stage_weights.figure import trade_off
from mitools.analyses.cui2022.stage_weights.gains_figure import gains
from mitools.analyses.cui2022.stage_weights.words import describe
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import make_recipe
from mitools.report.figures.save import write_chart
from mitools.training.methods.ctc import CTCOptions
from mitools.training.recipes import TrainingRecipe

Weights = Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]


class StageWeightsRecipe(TransferStudyRecipe):
    """What the analysis is made from; the rest is :class:`.TransferStudyRecipe`'s.

    Attributes
    ----------
    ctc
        Of every CTC run but for its two weights.
    alphas
        Weights of InfoNCE in the first stage; 0 for cross-entropy alone.
    betas
        Weights of InfoNCE in the second stage.
    """

    ctc: CTCOptions = CTCOptions()
    alphas: Weights = (0.0, 0.01, 0.1, 0.5, 1.0)
    betas: Weights = (0.0, 1.0)

    @field_validator("alphas", "betas")
    @classmethod
    def _rise(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if list(weights) != sorted(set(weights)):
            raise ValueError(f"weights must rise, each given once, not {list(weights)}")
        return weights

    @model_validator(mode="after")
    def _settings_can_be_made(self) -> "StageWeightsRecipe":
        self.settings()
        return self

    def settings(self) -> dict[str, TrainingRecipe]:
        """Give the training of cross-entropy alone and of every pair of weights, by name.

        Raises
        ------
        InputError
            When the border leaves no second stage.
        """
        made = {VANILLA: self.training}
        for alpha in self.alphas:
            for beta in self.betas:
                options = self.ctc.model_dump() | {"alpha": alpha, "beta": beta}
                content = self.training.model_dump() | {"method": "ctc", "options": options}
                name = weights_name(alpha, beta)
                made[name] = make_recipe(content, TrainingRecipe, name)
        return made


def weights_name(alpha: float, beta: float) -> str:
    """Name a pair of weights, as its run's folder is called.

    Examples
    --------
    >>> weights_name(0.01, 1.0)
    'alpha-0.01-beta-1'
    """
    return f"alpha-{alpha:g}-beta-{beta:g}"


def run(
    recipe: StageWeightsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train CTC with every pair of weights, and set transfer beside source accuracy.

    Cross-entropy alone is measured at every kept epoch: that is what stopping it early would give.
    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    runtime = runtime or Runtime()
    measured = measured_settings(
        recipe, recipe.settings(), out, runtime, advance, last_alone=lambda name: name != VANILLA
    )
    if measured is None:
        return None
    table = with_weights(measured, recipe)
    subject = subject_of(recipe.source, table, recipe.seeds)
    figures = [
        *write_chart(out / "stage_weights", trade_off, table, subject=subject),
        *write_chart(out / "stage_weights_gains", gains, table, subject=subject),
    ]
    return write_finding(table, describe(table), out, figures)


def with_weights(table: pd.DataFrame, recipe: StageWeightsRecipe) -> pd.DataFrame:
    """Add ``alpha`` and ``beta`` to every row; both are missing for cross-entropy alone."""
    weights = {weights_name(a, b): (a, b) for a in recipe.alphas for b in recipe.betas}
    found = [weights.get(name, (None, None)) for name in table["setting"]]
    alphas, betas = (pd.array(column, dtype="Float64") for column in zip(*found, strict=True))
    return table.assign(alpha=alphas.astype("float64"), beta=betas.astype("float64"))
