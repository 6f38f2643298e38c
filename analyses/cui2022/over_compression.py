"""Whether training compresses too much, and whether CTC repairs it (Cui et al. 2022, Figs. 2 to 5, 12)."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pydantic import model_validator

from mitools.analyses.cui2022.changes import CTC, VANILLA, changes_over_seeds, paired_changes
from mitools.analyses.cui2022.checkpoint_values import CheckpointValues, checkpoint_columns
from mitools.analyses.cui2022.classifier_losses import losses_of_runs
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
from mitools.analyses.cui2022.loss_figure import losses_beside_transfer
from mitools.analyses.cui2022.over_fitting import loss_changes, tabulate_losses
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe, measure_runs, require_targets
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.runs_by_setting import train_every_seed
from mitools.analyses.shared.training_runs import require_held_out
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv
from mitools.training.methods.ctc import CTCOptions
from mitools.training.recipes import TrainingRecipe

FIRST_SEED_CAVEAT = (
    "What was fine-tuned are the networks of the first seed, with intervals over images: they do not cover"
    " another seed."
)


class TemporalRecipe(TransferStudyRecipe):
    """What the analysis is made from; the rest is :class:`.TransferStudyRecipe`'s.

    Attributes
    ----------
    ctc
        Of the second run, which has the same number of epochs.
    fine_tuning
        Of the last networks of both runs of the first seed on every target, backbone and all; none when it
        is not given.
    """

    ctc: CTCOptions = CTCOptions()
    fine_tuning: FineTuningRecipe | None = None

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
    ``changes.csv`` has the paired differences that the reading rests on, ``losses.csv`` the train and test
    losses of the runs' own classifiers, and ``fine_tuned.csv`` what fine-tuning reached.
    """
    require_held_out(recipe.training.data, recipe.source)
    require_targets(recipe.targets)
    runtime = runtime or Runtime()
    runs = train_every_seed(
        {VANILLA: recipe.training, CTC: recipe.second()}, recipe.seeds, out, runtime, advance
    )
    if not runtime.is_main:
        return None
    border, last = recipe.border, recipe.training.epochs
    # A border that was kept for resuming alone is not in all runs.
    kept = sorted(set.intersection(*(set(folder.epochs()) for folder in runs.values())))

    def epochs(_: str) -> list[int]:
        return kept

    measured = measure_runs(recipe, runs, epochs, out, runtime, advance)
    losses = losses_of_runs(measured, runs, epochs, recipe.training.data, recipe.source)
    of_losses = tabulate_losses(losses)
    write_csv(of_losses, out / "losses.csv")
    of_seed = {}
    for seed in recipe.seeds:
        points = measured.of_seed(seed)
        own = {(name, epoch): one for (name, other, epoch), one in losses.items() if other == seed}
        both = [paired_changes(points, border), loss_changes(points, own)]
        of_seed[seed] = pd.concat(both, ignore_index=True)
    table, differences = tabulate(measured.points, border), changes_over_seeds(of_seed)
    reading, files = describe(table, differences), [out / "changes.csv", out / "losses.csv"]
    if recipe.fine_tuning is not None:
        first = {name: runs[name, recipe.seeds[0]].path for name in (VANILLA, CTC)}
        tuned = fine_tune(
            recipe.fine_tuning.protocol(),
            {
                VANILLA: run_spec(first[VANILLA], last),
                CTC: run_spec(first[CTC], last),
                UNTRAINED: run_spec(first[VANILLA], 0),
            },
            recipe.targets,
            recipe.measure.seed,
            measured.measurer.results,
            runtime,
            advance,
        )
        reached, of_tuned = tabulate_fine_tuned(tuned), fine_tuned_changes(tuned, last)
        write_csv(reached, out / "fine_tuned.csv")
        files.append(out / "fine_tuned.csv")
        differences = pd.concat([differences, of_tuned], ignore_index=True)
        reading = f"{reading} {describe_fine_tuned(reached, of_tuned)}"
        if len(recipe.seeds) > 1:
            reading = f"{reading} {FIRST_SEED_CAVEAT}"
    write_csv(differences, out / "changes.csv")
    subject = subject_of(recipe.source, table, recipe.seeds)
    figures = write_temporal_figures(table, border, out, subject)
    figures += write_chart(
        out / "temporal_losses", losses_beside_transfer, of_losses, table, border, subject=subject
    )
    return write_finding(table, reading, out, [*files, *figures])


def tabulate(
    points: Mapping[str, Mapping[tuple[str, int, int], CheckpointValues]], border: int
) -> pd.DataFrame:
    """Lay out one row a run, seed, epoch and data set.

    Parameters
    ----------
    points
        By data set, and there by run, seed and epoch.
    border
        The epoch at which CTC's second stage begins.
    """
    return pd.DataFrame(
        [
            {
                "run": name,
                "seed": seed,
                "epoch": epoch,
                "stage": 2 if name == CTC and epoch > border else 1,
                "data": data,
                **checkpoint_columns(point),
            }
            for data, found in points.items()
            for (name, seed, epoch), point in found.items()
        ]
    )
