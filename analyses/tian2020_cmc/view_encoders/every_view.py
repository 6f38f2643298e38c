"""Whether every view's encoder gets better, by prediction and by contrast (Tian et al. 2020, Table 4)."""

from functools import partial
from pathlib import Path

from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.view_encoders.every_view_words import describe
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import measures_of
from mitools.analyses.tian2020_cmc.view_encoders.quality import (
    SUPERVISED,
    UNTRAINED,
    SegmentedViewsRecipe,
    Subject,
    measure_quality,
    require_segmentation,
)
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import CORE, FULL, PREDICTIVE, Views, Width
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.training.recipes import TrainingRecipe


class EveryViewRecipe(SegmentedViewsRecipe):
    """What the analysis is made from, beside what :class:`SegmentedViewsRecipe` lists.

    Attributes
    ----------
    views
        The first is the core view. Prediction is from each view to the first, and from that to the second.
    decoder_width
        Channels of the maps of the decoders that predict.
    """

    views: Views = ("lab:l", "lab:ab", "depth", "normals")
    decoder_width: Width = 64

    def target_of(self, view: str) -> str:
        """Give the view that is predicted from this one."""
        return self.views[0] if view != self.views[0] else self.views[1]

    def runs(self) -> dict[str, TrainingRecipe]:
        """Give every run, by the name of its folder."""
        found = {}
        for seed in self.seeds:
            found[_folder(CORE, seed)] = self.contrastive(self.views, seed, core=self.views[0])
            found[_folder(FULL, seed)] = self.contrastive(self.views, seed)
            for place, view in enumerate(self.views):
                run = self.predictive(view, self.target_of(view), seed, self.decoder_width)
                found[_folder(f"{PREDICTIVE} {place}", seed)] = run
        return found


def run(
    recipe: EveryViewRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train encoders of all views by prediction, with a core view and with the full graph; measure each.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`; data without
    a segmentation are refused too.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    require_segmentation(recipe)
    runtime = runtime or Runtime()
    folders = train_all(recipe.runs(), out, runtime, advance)
    if not runtime.is_main:
        return None
    specs = {name: run_spec(folder.path) for name, folder in folders.items()}
    table = measure_quality(_subjects(recipe, specs), recipe, out, runtime, advance)
    chart = partial(quality_chart, columns=[measure.column for measure in measures_of(table)])
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "every_view", chart, table, "view", subject=subject)
    return write_finding(table, describe(table), out, figures)


def _subjects(recipe: EveryViewRecipe, specs: dict[str, str]) -> list[Subject]:
    subjects = []
    for seed in recipe.seeds:
        full, core = specs[_folder(FULL, seed)], specs[_folder(CORE, seed)]
        for place, view in enumerate(recipe.views):
            encoders = {
                UNTRAINED: f"{full}@epoch=0?view={place}",
                PREDICTIVE: f"{specs[_folder(f'{PREDICTIVE} {place}', seed)]}?view=0",
                CORE: f"{core}?view={place}",
                FULL: f"{full}?view={place}",
            }
            if recipe.segmentation is not None:
                encoders[SUPERVISED] = encoders[UNTRAINED]
            for method, encoder in encoders.items():
                row = {"view": view, "method": method, "seed": seed}
                subjects.append(Subject(row, encoder))
    return subjects


def _folder(method: str, seed: int) -> str:
    return f"{method.replace(' ', '-')}-seed-{seed}"
