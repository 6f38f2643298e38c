"""Whether there is a best distance of two patches, and a best information (Fig. 5, right)."""

from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

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
from mitools.training.recipes import Count

WHAT = "distances"

PAPER = PaperSays("peak inside", "In Fig. 5 (right) accuracy peaks inside the range of MI")


class PatchDistanceRecipe(ViewPairsRecipe):
    """What the analysis is made from, beside what :class:`ViewPairsRecipe` lists.

    Attributes
    ----------
    size
        Side of a patch in pixels.
    distances
        Of the two patches' corners, down and to the right, in pixels; from `size` on they do not overlap.
    """

    size: Count
    distances: Annotated[tuple[Count, ...], Field(min_length=FEWEST_POINTS)]

    @model_validator(mode="after")
    def _patches_fit(self) -> "PatchDistanceRecipe":
        if min(self.distances) < self.size:
            raise ValueError(
                f"distance {min(self.distances)} is below the size {self.size}: patches would overlap"
            )
        if self.training.image_size != self.information.image_size:
            raise ValueError(
                "training and information must have the same image_size, in which patches are cut"
            )
        room = self.training.image_size
        if room is not None and self.size + max(self.distances) > room:
            raise ValueError(
                f"distance {max(self.distances)} has no room in images of {room}; at most {room - self.size}"
                " has"
            )
        return self

    def pairs(self) -> dict[str, tuple[str, str]]:
        """Name the two patches of every distance, by the distance."""
        views = {str(distance): f"patch?size={self.size}&distance={distance}" for distance in self.distances}
        return {distance: (f"{view}#0", f"{view}#1") for distance, view in views.items()}


def run(
    recipe: PatchDistanceRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Measure the two patches at every distance, train on them, and compare accuracies.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    table = accuracy_and_information(recipe.pairs(), recipe, out, runtime or Runtime(), advance)
    if table is None:
        return None
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(
        out / "patch_distance", partial(accuracy_chart, connected=True), table, subject=subject
    )
    return write_finding(table, describe(table, WHAT, PAPER), out, figures)
