"""Whether training compresses too much, and whether CTC repairs it (Cui et al. 2022, Figs. 2 to 5)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, field_validator, model_validator

from mitools.analyses.cui2022.changes import CTC, SOURCE_DATA, VANILLA, paired_changes
from mitools.analyses.cui2022.checkpoint_values import CheckpointMeasurer, CheckpointValues, MeasureRecipe
from mitools.analyses.cui2022.figures import write_temporal_figures
from mitools.analyses.cui2022.findings import describe
from mitools.analyses.cui2022.fine_tuning import (
    UNTRAINED,
    FineTuningRecipe,
    describe_fine_tuned,
    fine_tune,
    fine_tuned_changes,
    tabulate_fine_tuned,
)
from mitools.analyses.shared.evaluation import interval_columns
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore
from mitools.encoders.sources.run import run_spec
from mitools.features.store import FeatureStore, default_root
from mitools.measures.accuracy_on_test import accuracy_columns
from mitools.report.tables.write import write_csv
from mitools.training.methods.ctc import CTCOptions
from mitools.training.recipes import TrainingRecipe


class TemporalRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What both runs share: ``cross_entropy``, with ``keep_every`` for the checkpoints that are measured.
    ctc
        Of the second run, which has the same number of epochs.
    source
        Other images of the classes trained for.
    targets
        Data sets by name that the representation is transferred to.
    measure
        See :class:`mitools.analyses.cui2022.checkpoint_values.MeasureRecipe`.
    fine_tuning
        Of the last networks of both runs on every target, backbone and all; none when it is not given.
    """

    training: TrainingRecipe
    ctc: CTCOptions = CTCOptions()
    source: Annotated[str, Field(min_length=1)]
    targets: Annotated[dict[str, str], Field(min_length=1)]
    measure: MeasureRecipe = MeasureRecipe()
    fine_tuning: FineTuningRecipe | None = None

    @field_validator("training")
    @classmethod
    def _keep_checkpoints_of_cross_entropy(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "cross_entropy" or training.keep_every is None:
            raise ValueError("the objective must be cross_entropy, and keep_every says what is measured")
        return training

    @field_validator("targets")
    @classmethod
    def _leave_the_sources_name(cls, targets: dict[str, str]) -> dict[str, str]:
        if SOURCE_DATA in targets:
            raise ValueError(f"{SOURCE_DATA!r} is the data trained for; give the target another name")
        return targets

    @model_validator(mode="after")
    def _border_is_kept(self) -> "TemporalRecipe":
        self.second()  # which refuses a border that leaves no second stage
        every, border = self.training.keep_every, self.border
        if every is not None and (border % every or self.training.epochs % every):
            raise ValueError(f"keep_every {every} must divide the epochs {self.training.epochs} and CTC's"
                             f" border {border}, where checkpoints are compared")  # fmt: skip
        return self

    @property
    def border(self) -> int:
        """The epoch after which the second stage of CTC begins."""
        return self.ctc.border_in(self.training.epochs)

    def second(self) -> TrainingRecipe:
        """Give the recipe of the CTC run."""
        return TrainingRecipe.model_validate(
            self.training.model_dump() | {"method": "ctc", "options": self.ctc.model_dump()}
        )


def run(
    recipe: TemporalRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train with cross-entropy and with CTC, and measure every kept checkpoint on source and targets.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`;
    ``changes.csv`` has the paired differences that the reading rests on, and ``fine_tuned.csv`` what
    fine-tuning reached.
    """
    require_held_out(recipe.training.data, recipe.source)
    runtime = runtime or Runtime()
    runs = train_all({VANILLA: recipe.training, CTC: recipe.second()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    border = recipe.border
    results = ResultStore(out / "cells")
    measurer = CheckpointMeasurer(
        recipe.measure,
        recipe.training.image_size,
        results,
        FeatureStore(default_root()),
        runtime,
        advance,
    )
    # A border that was kept for resuming alone is not in both runs.
    kept = set.intersection(*(set(folder.epochs()) for folder in runs.values()))
    keys = [(name, epoch) for name in runs for epoch in sorted(kept)]
    encoders = {(name, epoch): run_spec(runs[name].path, epoch) for name, epoch in keys}
    points = {
        data: dict(zip(keys, measurer.measure(spec, list(encoders.values())), strict=True))
        for data, spec in ({SOURCE_DATA: recipe.source} | recipe.targets).items()
    }
    table = tabulate(points, border)
    differences = paired_changes(points, border)
    reading, files = describe(table, differences), [out / "changes.csv"]
    if recipe.fine_tuning is not None:
        last = recipe.training.epochs
        tuned = fine_tune(
            recipe.fine_tuning.protocol(),
            {VANILLA: encoders[VANILLA, last], CTC: encoders[CTC, last], UNTRAINED: encoders[VANILLA, 0]},
            recipe.targets,
            recipe.measure.seed,
            results,
            runtime,
            advance,
        )
        reached, of_tuned = tabulate_fine_tuned(tuned), fine_tuned_changes(tuned, last)
        write_csv(reached, out / "fine_tuned.csv")
        files.append(out / "fine_tuned.csv")
        differences = pd.concat([differences, of_tuned], ignore_index=True)
        reading = f"{reading} {describe_fine_tuned(reached, of_tuned)}"
    write_csv(differences, out / "changes.csv")
    return write_finding(table, reading, out, [*files, *write_temporal_figures(table, border, out)])


def tabulate(points: Mapping[str, Mapping[tuple[str, int], CheckpointValues]], border: int) -> pd.DataFrame:
    """Lay out one row a run, epoch and data set.

    Parameters
    ----------
    points
        By data set, and there by run and epoch.
    border
        The epoch at which CTC's second stage begins.
    """
    return pd.DataFrame(
        [
            {
                "run": name,
                "epoch": epoch,
                "stage": 2 if name == CTC and epoch > border else 1,
                "data": data,
                "recall_at_1": point.recall_at_1,
                "nmi": point.nmi,
                **accuracy_columns("frozen_acc", int(point.frozen.sum()), len(point.frozen)),
                **accuracy_columns("logistic_acc", int(point.logistic.sum()), len(point.logistic)),
                **interval_columns("input", point.input_information),
                "input_null_bits": point.input_information.null_bits,
                "input_ceiling_bits": point.input_information.ceiling_bits,
                "input_warnings": ", ".join(one.word for one in point.input_information.warnings),
                **interval_columns("label", point.label_information),
                "label_null_bits": point.label_information.null_bits,
                "label_entropy_bits": point.label_information.entropy_bits,
                "label_warnings": ", ".join(one.word for one in point.label_information.warnings),
                "n": point.label_information.n_train
                + point.label_information.n_select
                + point.label_information.n_report,
                "n_report": point.label_information.n_report,
            }
            for data, found in points.items()
            for (name, epoch), point in found.items()
        ]
    )
