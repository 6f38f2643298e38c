"""Views from invertible generators, learned with and without labels, against raw ones (Sec. 4.2)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
import torch
from pydantic import Field, field_validator, model_validator

from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe, interval_columns
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_infomin.learned_views.learned_views_figure import learned_views_chart
from mitools.analyses.tian2020_infomin.learned_views.learned_views_words import RAW, describe
from mitools.analyses.tian2020_infomin.measured_views import MeasuredViewsRecipe
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance, silent
from mitools.core.recipes import Recipe
from mitools.core.result_store import Values
from mitools.datasets.open import open_data
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.shared_information.measure import MeasuredPair, measure_view_pairs
from mitools.shared_information.view_pair import read_pair
from mitools.training.loop.images_in_memory import load_images
from mitools.training.loop.run_folder import RunFolder
from mitools.training.recipes import Count, TrainingRecipe
from mitools.views.colour.spaces import SPACES
from mitools.views.flow.generator import Coupling
from mitools.views.flow.view import FlowView
from mitools.views.registry import make_view

LEARN = ("unsupervised", "supervised", "semi_supervised")
"""How generators are learned: the rows of Table 5 before the raw views."""

SET_BY_THE_RUNS = ("learn", "labelled", "space", "coupling")

CHECKED_IMAGES = 256
"""On which every generator is inverted."""


class LearnedViewsRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    generators
        What all runs that learn views share; the method is ``learned_views``, and ``learn``, ``labelled``,
        ``space`` and ``coupling`` are left to the runs.
    labelled
        Data spec of the labelled images, for supervised and semi-supervised views.
    supervised_epochs
        Of supervised views, whose data are the labelled images alone.
    contrastive
        What all runs on views share; the method is ``cmc``, and the views are left to the runs.
    encoders
        Further networks, in place of the one of `contrastive`, that are trained on raw and on
        semi-supervised views (Fig. 8).
    spaces
        Colour spaces that are split raw, the first channel against the others.
    learned_spaces
        Those of them that generators read.
    couplings
        Kinds of generators.
    seeds
        One generator and one contrastive run with each.
    information
        See :class:`mitools.analyses.tian2020_infomin.measured_views.MeasuredViewsRecipe`; no generator has
        learned from its images. All views, raw ones too, are measured once with each of the seeds.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`; the encoders of both views side by
        side are read there.
    """

    generators: TrainingRecipe
    labelled: Annotated[str, Field(min_length=1)]
    supervised_epochs: Count
    contrastive: TrainingRecipe
    encoders: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    spaces: Annotated[tuple[str, ...], Field(min_length=1)] = ("rgb", "ydbdr")
    learned_spaces: Annotated[tuple[str, ...], Field(min_length=1)] = ("rgb", "ydbdr")
    couplings: Annotated[tuple[Coupling, ...], Field(min_length=1)] = ("non_volume_preserving",)
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1, 2)
    information: MeasuredViewsRecipe
    evaluation: EvaluationRecipe

    @field_validator("generators")
    @classmethod
    def _leave_the_kinds_to_the_runs(cls, generators: TrainingRecipe) -> TrainingRecipe:
        usual = {"learn": "unsupervised", "labelled": None, "space": "rgb",
                 "coupling": "non_volume_preserving"}  # fmt: skip
        if generators.method != "learned_views" or any(
            generators.options[key] != usual[key] for key in SET_BY_THE_RUNS
        ):
            raise ValueError(
                f"the method must be learned_views, and the runs set {', '.join(SET_BY_THE_RUNS)}; leave"
                " them out"
            )
        return generators

    @field_validator("contrastive")
    @classmethod
    def _leave_the_views_to_the_runs(cls, contrastive: TrainingRecipe) -> TrainingRecipe:
        if contrastive.method != "cmc" or contrastive.options["views"] != ["lab:l", "lab:ab"]:
            raise ValueError("the method must be cmc, and its views are set by the runs; leave them out")
        return contrastive

    @model_validator(mode="after")
    def _encoders_are_others(self) -> "LearnedViewsRecipe":
        every = (self.contrastive.encoder, *self.encoders)
        for encoder in every:
            if every.count(encoder) > 1:
                raise ValueError(
                    f"encoders names {encoder}, which stands in contrastive or in encoders already; name"
                    " further networks, each once"
                )
        return self

    @model_validator(mode="after")
    def _spaces_are_known(self) -> "LearnedViewsRecipe":
        for space in self.spaces:
            if space not in SPACES:
                raise ValueError(f"there is no colour space {space!r}; accepted: {', '.join(SPACES)}")
        for space in self.learned_spaces:
            if space not in self.spaces:
                raise ValueError(f"learned_spaces has {space}, whose raw views are missing; add it to spaces")
        return self


class Setting(NamedTuple):
    """One row of the table: a colour space, and what is done to it.

    Attributes
    ----------
    space
        A colour space.
    learn
        ``raw``, or how its generator is learned.
    coupling
        Of the generator; empty for raw views.
    """

    space: str
    learn: str = RAW
    coupling: str = ""

    def name(self, several_couplings: bool) -> str:
        """One line: ``ydbdr semi_supervised``, with the kind of generator where there are several."""
        short = {"volume_preserving": "VP", "non_volume_preserving": "NVP", "": ""}[self.coupling]
        return " ".join(filter(None, [self.space, self.learn, short if several_couplings else ""]))

    def run(self, seed: int) -> str:
        """Name the folder of its run."""
        return "-".join(filter(None, [*self, f"seed-{seed}"]))


class ContrastiveRun(NamedTuple):
    """What tells one run on views from others.

    Attributes
    ----------
    encoder
        A further network; empty for the recipe's own.
    setting, seed
        Of the views.
    """

    encoder: str
    setting: Setting
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        encoder = re.sub(r"\W+", "-", self.encoder)
        return "-".join(filter(None, ["cmc", encoder, self.setting.run(self.seed)]))


def run(
    recipe: LearnedViewsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Learn views, measure them, train on them, and compare all with raw views.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    runtime = runtime or Runtime()
    for data in (recipe.generators.data, recipe.labelled, recipe.contrastive.data):
        for held_out in (recipe.evaluation.data, recipe.information.data):
            require_held_out(data, held_out)
    settings = _settings(recipe)
    generators = train_all(_generator_recipes(recipe, settings), out, runtime, advance)
    views = {
        (setting, seed): _views(setting, generators.get(f"views-{setting.run(seed)}"))
        for setting in settings
        for seed in recipe.seeds
    }
    asked = _contrastive_runs(recipe, settings)
    runs = train_all(
        {
            one.name: recipe.contrastive.with_options(views=list(views[one.setting, one.seed])).model_copy(
                update={"seed": one.seed} | ({"encoder": one.encoder} if one.encoder else {})
            )
            for one in asked
        },
        out,
        runtime,
        advance,
    )
    if not runtime.is_main:
        return None
    information = _measure(views, recipe, out, runtime, advance or silent)
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    images = load_images(open_data(recipe.information.data), recipe.information.image_size).pixels
    several, rows = len(recipe.couplings) > 1, []
    for one in asked:
        path, key = runs[one.name].path, (one.setting, one.seed)
        untrained = evaluation.certify(run_spec(path, 0)).columns
        rows.append(
            {"setting": one.setting.name(several), "seed": one.seed, **one.setting._asdict()}
            | {"encoder": one.encoder or recipe.contrastive.encoder}
            | information[key]
            | evaluation.certify(run_spec(path)).columns
            | {f"untrained_acc{end}": untrained[f"linear_acc{end}"] for end in ("", "_low", "_high")}
            | {"inversion_error": _inversion_error(views[key][0], images[:CHECKED_IMAGES])}
        )
    table = pd.DataFrame(rows)
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "learned_views", learned_views_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def _settings(recipe: LearnedViewsRecipe) -> list[Setting]:
    learned = [
        Setting(space, learn, coupling)
        for space in recipe.learned_spaces
        for learn in LEARN
        for coupling in recipe.couplings
    ]
    return [*(Setting(space) for space in recipe.spaces), *learned]


def _contrastive_runs(recipe: LearnedViewsRecipe, settings: list[Setting]) -> list[ContrastiveRun]:
    """List every setting for the recipe's own network, and raw and semi-supervised views for the others."""
    further = [
        (encoder, setting)
        for encoder in recipe.encoders
        for setting in settings
        if setting.space in recipe.learned_spaces and setting.learn in (RAW, "semi_supervised")
    ]
    every = [*(("", setting) for setting in settings), *further]
    return [ContrastiveRun(encoder, setting, seed) for encoder, setting in every for seed in recipe.seeds]


def _generator_recipes(recipe: LearnedViewsRecipe, settings: list[Setting]) -> dict[str, TrainingRecipe]:
    found = {}
    for setting in settings:
        if setting.learn == RAW:
            continue
        options: dict[str, Any] = setting._asdict()
        changes: dict[str, Any] = {}
        if setting.learn == "semi_supervised":
            options["labelled"] = recipe.labelled
        elif setting.learn == "supervised":
            changes = {"data": recipe.labelled, "epochs": recipe.supervised_epochs}
        learning = recipe.generators.with_options(**options).model_copy(update=changes)
        for seed in recipe.seeds:
            found[f"views-{setting.run(seed)}"] = learning.model_copy(update={"seed": seed})
    return found


def _views(setting: Setting, generator: RunFolder | None) -> tuple[str, str]:
    """Name the two views of a setting."""
    if generator is None:
        first, *others = SPACES[setting.space].channels
        return f"{setting.space}:{first}", f"{setting.space}:{''.join(others)}"
    return f"flow:{generator.path}#0", f"flow:{generator.path}#1"


def _measure(
    views: Mapping[tuple[Setting, int], tuple[str, str]],
    recipe: LearnedViewsRecipe,
    out: Path,
    runtime: Runtime,
    advance: Advance,
) -> dict[tuple[Setting, int], Values]:
    """Read every pair of views as ``mitools views`` does, with its seed."""
    found: dict[tuple[Setting, int], Values] = {}
    data = open_data(recipe.information.data)
    for seed in recipe.seeds:
        of_seed = {key: pair for key, pair in views.items() if key[1] == seed}
        measured = measure_view_pairs(
            data,
            [read_pair(",".join(pair)) for pair in of_seed.values()],
            out=out,
            settings=recipe.information.settings(str(runtime.device), seed),
            image_size=recipe.information.image_size,
            advance=advance,
        )
        found |= {key: _columns(pair) for key, pair in zip(of_seed, measured.pairs, strict=True)}
    return found


def _columns(pair: MeasuredPair) -> Values:
    shared = pair.shared[0]
    columns: Values = interval_columns("shared", shared) | {
        "shared_null": shared.null_bits,
        "shared_ceiling": shared.ceiling_bits,
        "shared_warnings": ", ".join(warning.word for warning in shared.warnings),
        "n_pairs": shared.n_report,
    }
    for name, reading in (("view1", pair.of_view[0]), ("view2", pair.of_view[1]), ("image", pair.image)):
        columns |= interval_columns(name, reading.estimates[0])
    return columns | {"regime": pair.regime.name}


@torch.no_grad()
def _inversion_error(name: str, pixels: torch.Tensor) -> float | None:
    """Give how far a generator's inverse misses the input, at the most, in float32; None for raw views."""
    view = make_view(name)
    if not isinstance(view, FlowView):
        return None
    images = 2 * SPACES[view.space].scaled(pixels.float() / 255) - 1
    back = view.generator.inverse(view.generator(images).values)
    return float((back - images).abs().max())
