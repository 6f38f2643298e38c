"""Whether the encoder of a view gets better with more further views (Tian et al. 2020, Fig. 4, Table 3)."""

from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import measures_of
from mitools.analyses.tian2020_cmc.view_encoders.number_of_views_words import describe
from mitools.analyses.tian2020_cmc.view_encoders.quality import (
    SUPERVISED,
    UNTRAINED,
    SegmentedViewsRecipe,
    Subject,
    measure_quality,
    require_segmentation,
)
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import CORE, FULL, Views
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.training.loop.run_folder import RunFolder
from mitools.training.recipes import TrainingRecipe


class NumberOfViewsRecipe(SegmentedViewsRecipe):
    """What the analysis is made from, beside what :class:`SegmentedViewsRecipe` lists.

    Attributes
    ----------
    views
        The core view, whose encoder is measured, and the further ones in the order in which they are added.
    full_graph_views
        How many of the views are also trained with the full graph (Table 3); None for no such run.
    """

    views: Views = ("lab:l", "lab:ab", "depth", "normals")
    full_graph_views: Annotated[int, Field(ge=3)] | None = None

    @model_validator(mode="after")
    def _enough_views(self) -> "NumberOfViewsRecipe":
        full, known = self.full_graph_views, len(self.views)
        if full is not None and full > known:
            raise ValueError(f"full_graph_views {full} is more than the {known} views")
        return self

    def runs(self) -> dict[tuple[str, int, int], TrainingRecipe]:
        """Give every run, by method, number of views and seed."""
        found = {}
        for seed in self.seeds:
            for count in range(2, len(self.views) + 1):
                found[CORE, count, seed] = self.contrastive(self.views[:count], seed, core=self.views[0])
            if self.full_graph_views is not None:
                views = self.views[: self.full_graph_views]
                found[FULL, len(views), seed] = self.contrastive(views, seed)
        return found


def run(
    recipe: NumberOfViewsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train the core view with more and more further views, and measure its encoder.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`; data without
    a segmentation are refused too.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    require_segmentation(recipe)
    runtime, recipes = runtime or Runtime(), recipe.runs()
    folders = train_all({_folder(*key): one for key, one in recipes.items()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    runs = {key: folders[_folder(*key)] for key in recipes}
    table = measure_quality(_subjects(recipe, runs), recipe, out, runtime, advance)
    chart = partial(quality_chart, columns=[measure.column for measure in measures_of(table)])
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "number_of_views", chart, table, "setting", subject=subject)
    return write_finding(table, describe(table), out, figures)


def _subjects(recipe: NumberOfViewsRecipe, runs: dict[tuple[str, int, int], RunFolder]) -> list[Subject]:
    subjects = []
    for seed in recipe.seeds:
        start = run_spec(runs[CORE, 2, seed].path, 0, view=0)
        subjects.append(Subject(_row(recipe, UNTRAINED, 1, seed), start))
        for (method, count, own_seed), folder in runs.items():
            if own_seed == seed:
                row = _row(recipe, method, count, seed)
                subjects.append(Subject(row, run_spec(folder.path, view=0)))
        if recipe.segmentation is not None:
            subjects.append(Subject(_row(recipe, SUPERVISED, 1, seed), start))
    return subjects


def _row(recipe: NumberOfViewsRecipe, method: str, count: int, seed: int) -> dict[str, object]:
    names = {
        UNTRAINED: UNTRAINED,
        SUPERVISED: SUPERVISED,
        CORE: f"{count}: {'+ ' * (count > 2)}{recipe.views[count - 1]}",
        FULL: f"{count}, full graph",
    }
    return {"setting": names[method], "method": method, "views": count, "view": recipe.views[0], "seed": seed}


def _folder(method: str, count: int, seed: int) -> str:
    return f"{method.replace(' ', '-')}-{count}-views-seed-{seed}"
