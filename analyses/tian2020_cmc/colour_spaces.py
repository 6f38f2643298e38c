"""Whether the information between the views of a colour space goes with accuracy (Fig. 5, left)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from mitools.analyses.shared.accuracy_by_setting import PaperSays
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.tian2020_cmc.accuracy_figure import accuracy_chart
from mitools.analyses.tian2020_cmc.accuracy_over_information import ViewPairsRecipe, accuracy_and_information
from mitools.analyses.tian2020_cmc.accuracy_words import describe
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.report.figures.save import write_chart
from mitools.statistics.peak import FEWEST_POINTS

WHAT = "colour spaces"

PAPER = PaperSays("falls", "In Fig. 5 (left) accuracy falls as MI grows, HSV apart")


class ColourSpacesRecipe(ViewPairsRecipe):
    """What the analysis is made from, beside what :class:`ViewPairsRecipe` lists.

    Attributes
    ----------
    spaces
        The two views of each space, by its name: ``{lab: [lab:l, lab:ab]}``.
    """

    spaces: Annotated[dict[str, tuple[str, str]], Field(min_length=FEWEST_POINTS)]


def run(
    recipe: ColourSpacesRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Measure the two views of every colour space, train on them, and compare accuracies.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    table = accuracy_and_information(recipe.spaces, recipe, out, runtime or Runtime(), advance)
    if table is None:
        return None
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "colour_spaces", accuracy_chart, table, subject=subject)
    return write_finding(table, describe(table, WHAT, PAPER), out, figures)
