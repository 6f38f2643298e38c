"""Whether there is a best width at which an image is cut into low and high frequencies (Fig. 9, B.3)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.tian2020_infomin.figures.frequency_figure import frequency_chart
from mitools.analyses.tian2020_infomin.frequency_words import describe
from mitools.analyses.tian2020_infomin.pairs_and_accuracy import MeasuredPairsRecipe, pairs_and_accuracy
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.report.figures.save import write_chart
from mitools.statistics.peak import FEWEST_POINTS
from mitools.training.recipes import Positive


class FrequencyRecipe(MeasuredPairsRecipe):
    """What the analysis is made from, beside what :class:`MeasuredPairsRecipe` lists.

    Attributes
    ----------
    sigmas
        Widths of the blur in pixels, each above 0 and once.
    """

    sigmas: Annotated[tuple[Positive, ...], Field(min_length=FEWEST_POINTS)]

    @field_validator("sigmas")
    @classmethod
    def _each_once(cls, sigmas: tuple[float, ...]) -> tuple[float, ...]:
        if len({f"{sigma:g}" for sigma in sigmas}) < len(sigmas):
            raise ValueError("a width comes twice; name each once")
        return sigmas

    def pairs(self) -> dict[str, tuple[str, str]]:
        """Name blur and residual of every width, by the width."""
        return {f"{sigma:g}": (f"blur?sigma={sigma:g}", f"residual?sigma={sigma:g}") for sigma in self.sigmas}


def run(
    recipe: FrequencyRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Measure blur and residual at every width, train on them, and compare accuracies.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    table = pairs_and_accuracy(recipe.pairs(), recipe, out, runtime or Runtime(), advance)
    if table is None:
        return None
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "frequency", frequency_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)
