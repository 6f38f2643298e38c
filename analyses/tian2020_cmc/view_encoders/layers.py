"""How accuracy goes with depth: a classifier on every layer of the encoders (Tian et al. 2020, Table 8)."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from mitools.analyses.shared.evaluation import EvaluationRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.view_encoders.layers_words import (
    CONTRASTIVE,
    HIDDEN_ACCURACY,
    describe,
    measures_of,
)
from mitools.analyses.tian2020_cmc.view_encoders.quality import MEASURED, SUPERVISED, UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import PREDICTIVE, ViewEncodersRecipe, Width
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import nearest
from mitools.core.progress import Advance
from mitools.core.recipes import make_recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore, default_root
from mitools.measures.accuracy_on_test import accuracy_columns, kept_test_accuracy, require_test_part
from mitools.measures.item_split import item_groups
from mitools.metrics.mlp_probe import mlp_probe_on_test
from mitools.report.figures.save import write_chart
from mitools.training.recipes import Count, TrainingRecipe

INSIDE_A_VIEW = "network."
"""What begins the names of an encoder's modules where it is one of several views'."""


class LayersRecipe(ViewEncodersRecipe):
    """What the analysis is made from, beside what :class:`ViewEncodersRecipe` lists.

    Attributes
    ----------
    views
        Two: contrasted with each other, and each predicted from the other (SplitBrain).
    layers
        Modules of an encoder, the first layer first: conv1, conv2, ... of the table.
    cells
        Of each layer: its map is averaged over so many cells a side, so that all layers have about as many
        numbers (Zhang et al. 2016 take some 9,000).
    test
        A data spec: the official test part. Classifiers are fitted to the data of `evaluation`.
    hidden
        Units of the hidden layer of a second classifier (Table 7 takes 200); None for the linear one alone.
    bins, target_size
        How a view is predicted: see
        :class:`~mitools.training.methods.multiview.predictive.PredictiveOptions`.
    decoder_width
        Channels of the maps of the decoders that predict.
    """

    views: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)] = ("ydbdr:y", "ydbdr:dbdr")
    layers: Annotated[tuple[str, ...], Field(min_length=2)]
    cells: Annotated[tuple[Count, ...], Field(min_length=2)]
    test: Annotated[str, Field(min_length=1)]
    hidden: Count | None = None
    bins: Annotated[int, Field(ge=2)] | None = None
    target_size: Count | None = None
    decoder_width: Width = 64

    @model_validator(mode="after")
    def _cells_of_every_layer(self) -> "LayersRecipe":
        if len(self.cells) != len(self.layers):
            raise ValueError(
                f"cells has {len(self.cells)} numbers for {len(self.layers)} layers; give one each"
            )
        if max(self.cells) > 99:
            raise ValueError(f"cells {max(self.cells)} a side are more than 99")
        return self

    def runs(self) -> dict[tuple[str, int], TrainingRecipe]:
        """Give every run, by method (with the place of the view that is predicted from) and seed."""
        found = {}
        for seed in self.seeds:
            found[CONTRASTIVE, seed] = self.contrastive(self.views, seed)
            for place, view in enumerate(self.views):
                run = self.predictive(view, self.views[1 - place], seed, self.decoder_width)
                options = {"loss": "l2", "bins": self.bins, "target_size": self.target_size}
                found[_predicted_from(place), seed] = run.with_options(**options)
            content = self.training.model_dump() | {"method": "cross_entropy", "options": {}, "seed": seed}
            found[SUPERVISED, seed] = make_recipe(content, TrainingRecipe, "the supervised run")
        return found


class _Subject(NamedTuple):
    """Encoders whose rows are put side by side: how the table calls them, their specs, and their seed."""

    method: str
    encoders: tuple[str, ...]
    seed: int


def run(
    recipe: LayersRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train by contrast, by prediction and by labels, and classify the test part from every layer.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`; a test part
    of other classes, or one that is trained on, is refused before training.
    """
    require_held_out(recipe.training.data, recipe.test)
    require_test_part(open_data(recipe.evaluation.data), open_data(recipe.test))
    _require_layers(recipe)
    runtime, recipes = runtime or Runtime(), recipe.runs()
    folders = train_all({_folder(*key): one for key, one in recipes.items()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    jobs = {}
    for seed in recipe.seeds:
        paths = {method: folders[_folder(method, own)].path for method, own in recipes if own == seed}
        both = [run_spec(paths[CONTRASTIVE], view=place) for place in (0, 1)]
        start = [run_spec(paths[CONTRASTIVE], 0, view=place) for place in (0, 1)]
        predicted = [run_spec(paths[_predicted_from(place)], view=0) for place in (0, 1)]
        subjects = {UNTRAINED: start, PREDICTIVE: predicted, CONTRASTIVE: both}
        jobs[f"seed {seed}"] = (
            [
                *(_Subject(method, tuple(specs), seed) for method, specs in subjects.items()),
                _Subject(SUPERVISED, (run_spec(paths[SUPERVISED]),), seed),
            ],
            recipe,
            out,
        )
    rows = side_by_side(_measure, jobs, runtime, MEASURED, advance)
    table = pd.DataFrame([row for found in rows.values() for row in found])
    chart = partial(quality_chart, columns=[measure.column for measure in measures_of(table)])
    subject = subject_of(recipe.test, None, recipe.seeds)
    figures = write_chart(out / "layers", chart, table, "layer", subject=subject)
    return write_finding(table, describe(table), out, figures)


def _measure(
    job: tuple[Sequence[_Subject], LayersRecipe, Path], runtime: Runtime, advance: Advance | None
) -> list[dict[str, Any]]:
    """Classify from every layer of the subjects of a seed."""
    subjects, recipe, out = job
    probes = _Probes(recipe, out, runtime)
    found = []
    for subject in subjects:
        for number, (layer, cells) in enumerate(zip(recipe.layers, recipe.cells, strict=True), start=1):
            row = {"layer": f"conv{number}", "method": subject.method, "seed": subject.seed}
            found.append(row | probes.accuracies(subject, layer, cells))
        if advance:
            advance(MEASURED, len(found) // len(recipe.layers), len(subjects))
    return found


class _Probes:
    """Classifiers on layers, fitted to one part and read on the other; every outcome is kept."""

    def __init__(self, recipe: LayersRecipe, out: Path, runtime: Runtime) -> None:
        self._evaluation: EvaluationRecipe = recipe.evaluation
        self._hidden = recipe.hidden
        self._train, self._test = open_data(recipe.evaluation.data), open_data(recipe.test)
        self._results, self._store = ResultStore(out / "cells"), FeatureStore(default_root())
        self._device = str(runtime.device)

    def accuracies(self, subject: _Subject, layer: str, cells: int) -> dict[str, Any]:
        """Give the columns of one layer."""
        train, test = (self._rows(subject.encoders, layer, cells, data) for data in (self._train, self._test))
        groups, seed = item_groups(self._train), self._evaluation.seed
        columns = kept_test_accuracy(self._results, train, test, seed, groups)
        columns = {name: value for name, value in columns.items() if name != "seconds"}
        columns["width"] = train.values.shape[2]
        if self._hidden is None:
            return columns

        def compute() -> Values:
            right = mlp_probe_on_test(
                train.values[:, 0], train.labels, test.values[:, 0], test.labels, seed, groups,
                hidden=self._hidden or 0, device=self._device,
            )  # fmt: skip
            return {"right": int(right.sum()), "n": len(right)}

        on = {"train": train.key, "test": test.key, "seed": seed, "hidden": self._hidden}
        values = self._results.cell("hidden test", on, compute)
        return columns | accuracy_columns(HIDDEN_ACCURACY, values["right"], values["n"])

    def _rows(self, encoders: Sequence[str], layer: str, cells: int, data: LabelledData) -> Features:
        """Encode data by one layer of every encoder, side by side."""
        parts = [self._layer(spec, layer, cells, data) for spec in encoders]
        values = np.concatenate([part.values for part in parts], axis=2)
        key = digest_text(*(part.key for part in parts))
        return Features(values, parts[0].labels, key, any(part.encoded for part in parts), 0.0)

    def _layer(self, spec: str, layer: str, cells: int, data: LabelledData) -> Features:
        inside = INSIDE_A_VIEW if "view=" in spec else ""
        layered = f"{spec}{'&' if '?' in spec else '?'}layer={inside}{layer}&pool=grid{cells}"
        return extract(open_encoder(layered), data, store=self._store, device=self._device)


def _require_layers(recipe: LayersRecipe) -> None:
    """Refuse layers that the network lacks, before anything is trained."""
    network = build_architecture(recipe.training.encoder).module
    names = [name for name, _ in network.named_modules() if name]
    for layer in recipe.layers:
        if layer not in names:
            raise InputError(
                f"encoder {recipe.training.encoder} has no layer {layer!r}; nearest: {nearest(layer, names)}"
            )


def _predicted_from(place: int) -> str:
    return f"{PREDICTIVE} {place}"


def _folder(method: str, seed: int) -> str:
    return f"{method.replace(' ', '-')}-seed-{seed}"
