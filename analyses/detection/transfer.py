"""What a detector reaches from a random, a supervised and a self-supervised start, by average precision."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, field_validator, model_validator

from mitools.analyses.detection.average_precision import average_precision, require_metric
from mitools.analyses.detection.comparisons import compare_starts
from mitools.analyses.detection.detector import DetectorRecipe, build_detector
from mitools.analyses.detection.figure import precision_by_start
from mitools.analyses.detection.fine_tuning import fine_tune
from mitools.analyses.detection.schedules import SCHEDULES, ScheduleName, ScheduleRecipe
from mitools.analyses.detection.words import describe
from mitools.analyses.shared.figure_subject import subject_line
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.shared.training_runs import train_all
from mitools.backends.runtime import Runtime
from mitools.backends.seeding import derive_seed, seeded
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.detection.open import open_detection
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.report.tables.write import write_csv
from mitools.training.recipes import TrainingRecipe

RANDOM = "random"
"""The start from untrained weights."""

Text = Annotated[str, Field(min_length=1)]


class TransferRecipe(Recipe):
    """One detector on one data set.

    Attributes
    ----------
    train, test
        Specs of :func:`mitools.datasets.detection.open.open_detection`.
    detector
        See :class:`mitools.analyses.detection.detector.DetectorRecipe`.
    schedule
        A name of :data:`mitools.analyses.detection.schedules.SCHEDULES`, or its own.
    """

    train: Text
    test: Text
    detector: DetectorRecipe = DetectorRecipe()
    schedule: ScheduleName | ScheduleRecipe

    def steps(self) -> ScheduleRecipe:
        """Give the schedule itself."""
        return self.schedule if isinstance(self.schedule, ScheduleRecipe) else SCHEDULES[self.schedule]


class DetectionRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    architecture
        Of the random start, as ``?arch=`` of a checkpoint takes it.
    training
        Starts by name that are trained first, once a seed.
    encoders
        Starts by name that are there: encoder specs.
    transfers
        By name.
    seeds
        Every start is fine-tuned once with each: of new layers, batches, mirrors, and of `training`. Starts
        are compared seed by seed.
    """

    architecture: Text
    training: dict[str, TrainingRecipe] = Field(default_factory=dict)
    encoders: dict[str, Text] = Field(default_factory=dict)
    transfers: Annotated[dict[str, TransferRecipe], Field(min_length=1)]
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0, 1, 2)

    @field_validator("seeds")
    @classmethod
    def _each_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed is used once")
        return seeds

    @model_validator(mode="after")
    def _one_start_a_name(self) -> "DetectionRecipe":
        names = [RANDOM, *self.training, *self.encoders]
        if len(set(names)) < len(names):
            raise ValueError(f"every start has a name of its own, and {RANDOM} is the untrained network's")
        other = [name for name, one in self.training.items() if one.encoder != self.architecture]
        if other:
            raise ValueError(f"training.{other[0]} must train {self.architecture}, the architecture")
        return self


def run(
    recipe: DetectionRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train the starts, fine-tune a detector from each of them, and compare their average precision.

    Detectors of one seed differ in their backbones' weights alone: their other layers begin alike, and they
    see the same batches. Every detector's result is kept in a cell.

    Parameters
    ----------
    recipe
        What to train and compare.
    out
        Folder for everything.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    runtime
        Where to compute; detectors are trained by one process.

    Returns
    -------
    Finding
        One row a transfer, start and seed; ``comparisons.csv`` has the differences.

    Raises
    ------
    InputError
        When torchmetrics or pycocotools is missing, data cannot be read or have no boxes, or a start is no
        convolutional network.
    """
    require_metric()
    runtime = runtime or Runtime()
    if runtime.processes > 1:
        raise InputError("detectors are trained by one process; start the analysis without accelerate launch")
    for transfer in recipe.transfers.values():
        _require_same_classes(transfer)
    runs = train_all(
        {
            f"{name}-{seed}": one.model_copy(update={"seed": seed})
            for name, one in recipe.training.items()
            for seed in recipe.seeds
        },
        out,
        runtime,
        advance,
    )
    jobs: dict[str, _Job] = {}
    for place, transfer in recipe.transfers.items():
        for seed in recipe.seeds:
            starts: dict[str, str | None] = {RANDOM: None}
            starts |= {name: run_spec(runs[f"{name}-{seed}"].path) for name in recipe.training}
            starts |= recipe.encoders
            for name, spec in starts.items():
                jobs[f"{place} from {name}, seed {seed}"] = _Job(
                    place, name, spec, recipe.architecture, transfer, seed, out / "cells"
                )
    found = side_by_side(_detect, jobs, runtime, "images", advance)
    table = pd.DataFrame(
        [
            {"transfer": job.place, "start": job.start, "seed": job.seed}
            | {key: value for key, value in found[name].items() if key != "seconds"}
            for name, job in jobs.items()
        ]
    )
    comparisons = compare_starts(table)
    write_csv(comparisons, out / "comparisons.csv")
    tests = {name: open_detection(one.test) for name, one in recipe.transfers.items()}
    counted = ", ".join(f"{name} n = {len(data):,}" for name, data in tests.items())
    subject = subject_line("test images", counted, recipe.seeds)
    figures = write_chart(out / "detection", precision_by_start, table, subject=subject)
    return write_finding(table, describe(table, comparisons), out, [out / "comparisons.csv", *figures])


class _Job:
    """One detector to be trained and evaluated."""

    def __init__(
        self,
        place: str,
        start: str,
        spec: str | None,
        architecture: str,
        transfer: TransferRecipe,
        seed: int,
        cells: Path,
    ) -> None:
        self.place, self.start, self.spec = place, start, spec
        self.architecture, self.transfer, self.seed, self.cells = architecture, transfer, seed, cells

    def encoder(self) -> Encoder:
        """Open the start; untrained weights are drawn from the seed."""
        if self.spec is None:
            built = build_architecture(self.architecture, derive_seed(self.seed, 2) % 2**32)
            digest = digest_text(built.identity, str(self.seed))
            return Encoder(self.architecture, RANDOM, RANDOM, digest, built.module, built.preprocess)
        encoder = open_encoder(self.spec)
        if isinstance(encoder, Encoder):
            return encoder
        raise InputError(f"encoder {self.spec} has no weights to train, so no detector can start from it")


def _detect(job: _Job, runtime: Runtime, advance: Advance | None) -> Values:
    """Fine-tune and evaluate one detector, or give what is kept of it."""
    encoder, transfer = job.encoder(), job.transfer
    train, test = open_detection(transfer.train), open_detection(transfer.test)
    schedule = transfer.steps()
    on = {
        "encoder": encoder.digest,
        "mean": list(getattr(encoder.preprocess, "mean", ())),
        "std": list(getattr(encoder.preprocess, "std", ())),
        "train": train.digest,
        "test": test.digest,
        "detector": transfer.detector.model_dump(),
        "schedule": schedule.model_dump(),
        "seed": job.seed,
        "precision": runtime.precision,
    }

    def compute() -> Values:
        with seeded(derive_seed(job.seed, 3)):
            detector = build_detector(encoder, len(train.classes), transfer.detector)
        detector = fine_tune(detector, train, schedule, job.seed, runtime, advance)
        return dict(average_precision(detector, test, transfer.detector.masks, runtime, advance))

    return ResultStore(job.cells).cell("detection", on, compute)


def _require_same_classes(transfer: TransferRecipe) -> None:
    """Refuse data whose classes differ, or that are evaluated on what is trained on.

    Raises
    ------
    InputError
        When they do, or masks are wanted and one of them has none.
    """
    train, test = open_detection(transfer.train), open_detection(transfer.test)
    if list(train.classes) != list(test.classes):
        raise InputError(
            f"{transfer.test} has other classes than {transfer.train}; take parts of one data set"
        )
    if train.digest == test.digest:
        raise InputError(
            f"{transfer.test} would be the images trained on; name another part, such as part=test"
        )
    for data in (train, test):
        if transfer.detector.masks and not data.has_masks:
            raise InputError(f"{data.name} has boxes and no masks; take masks: false")
