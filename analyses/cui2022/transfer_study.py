"""What the studies of over-compression share: a source, targets, seeds, and checkpoints measured on them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, field_validator

from mitools.analyses.cui2022.changes import SOURCE_DATA
from mitools.analyses.cui2022.checkpoint_values import (
    CRITICS_AT_A_TIME,
    READINGS,
    CheckpointMeasurer,
    CheckpointValues,
    MeasureRecipe,
)
from mitools.analyses.shared.runs_by_setting import SettingAndSeed
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.backends.runtime import Runtime
from mitools.backends.streams import stream_count
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore
from mitools.datasets.open import open_data
from mitools.datasets.selection import require_classes
from mitools.encoders.sources.run import run_spec
from mitools.estimators.inputs.splits import SMALLEST_CLASS
from mitools.features.store import FeatureStore, default_root
from mitools.training.loop.run_folder import RunFolder
from mitools.training.recipes import TrainingRecipe

Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class TransferStudyRecipe(Recipe):
    """A source that is trained for, and targets that the representation is transferred to.

    Attributes
    ----------
    training
        What all runs share: ``cross_entropy``, with ``keep_every`` for the checkpoints that are measured.
    seeds
        Of the runs: everything that is compared is trained once with each. Their splits and critics are
        those of ``measure.seed``.
    source
        Other images of the classes trained for.
    targets
        Data sets by name that the representation is transferred to.
    measure
        See :class:`mitools.analyses.cui2022.checkpoint_values.MeasureRecipe`.
    """

    training: TrainingRecipe
    seeds: Seeds = (0,)
    source: Annotated[str, Field(min_length=1)]
    targets: Annotated[dict[str, str], Field(min_length=1)]
    measure: MeasureRecipe = MeasureRecipe()

    @field_validator("training")
    @classmethod
    def _keep_checkpoints_of_cross_entropy(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "cross_entropy" or training.keep_every is None:
            raise ValueError("the objective must be cross_entropy, and keep_every says what is measured")
        return training

    @field_validator("seeds")
    @classmethod
    def _name_a_seed_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
        if twice:
            raise ValueError(f"seed {twice[0]} is given twice: one run would count as two; name it once")
        return seeds

    @field_validator("targets")
    @classmethod
    def _leave_the_sources_name(cls, targets: dict[str, str]) -> dict[str, str]:
        if SOURCE_DATA in targets:
            raise ValueError(f"{SOURCE_DATA!r} is the data trained for; give the target another name")
        return targets

    @property
    def data(self) -> dict[str, str]:
        """The specs of all that is measured on, the source first."""
        return {SOURCE_DATA: self.source, **self.targets}


class Measured(NamedTuple):
    """Checkpoints of several runs, measured on several data sets.

    Attributes
    ----------
    points
        By data set, and there by setting, seed and epoch.
    measurer
        What measured them: it has the features at hand.
    """

    points: dict[str, dict[tuple[str, int, int], CheckpointValues]]
    measurer: CheckpointMeasurer

    def of_seed(self, seed: int) -> dict[str, dict[tuple[str, int], CheckpointValues]]:
        """Give the points of one seed, by data set, and there by setting and epoch."""
        return {
            data: {(name, epoch): point for (name, own, epoch), point in found.items() if own == seed}
            for data, found in self.points.items()
        }


def require_targets(targets: Mapping[str, str]) -> None:
    """Refuse targets that cannot be transferred to, before anything is trained.

    Raises
    ------
    InputError
        When data cannot be read, have one class, or a class that is too small to split.
    """
    for spec in targets.values():
        require_classes(open_data(spec), SMALLEST_CLASS)


def measure_runs(
    recipe: TransferStudyRecipe,
    runs: Mapping[SettingAndSeed, RunFolder],
    epochs: Callable[[str], Sequence[int]],
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> Measured:
    """Measure checkpoints of runs on the source and on every target; every number is kept in a cell.

    Parameters
    ----------
    recipe
        Names data and measures.
    runs
        By setting and seed.
    epochs
        Which of a setting's checkpoints are measured.
    out, runtime, advance
        As for a study's ``run``.
    """
    keys = [(name, seed, epoch) for name, seed in runs for epoch in epochs(name)]
    encoders = [run_spec(runs[name, seed].path, epoch) for name, seed, epoch in keys]
    # As many shares as cores, of whole groups whose critics are fitted together: few are not worth a process.
    groups = [
        encoders[start : start + CRITICS_AT_A_TIME] for start in range(0, len(encoders), CRITICS_AT_A_TIME)
    ]
    count = min(stream_count(runtime.device), len(groups))
    shares = [[one for group in groups[k::count] for one in group] for k in range(count)]
    jobs = {str(k + 1): _Share(recipe, share, out) for k, share in enumerate(shares)}
    found = side_by_side(_measure_share, jobs, runtime, READINGS, advance, "share")
    points: dict[str, dict[tuple[str, int, int], CheckpointValues]] = {}
    for place, data in enumerate(recipe.data):
        by_encoder = {
            encoder: point
            for share, of_share in zip(shares, found.values(), strict=True)
            for encoder, point in zip(share, of_share[place], strict=True)
        }
        points[data] = {key: by_encoder[encoder] for key, encoder in zip(keys, encoders, strict=True)}
    return Measured(points, _measurer(recipe, out, runtime, advance))


class _Share(NamedTuple):
    """Checkpoints that one process measures."""

    recipe: TransferStudyRecipe
    encoders: Sequence[str]
    out: Path


def _measure_share(share: _Share, runtime: Runtime, advance: Advance | None) -> list[list[CheckpointValues]]:
    measurer = _measurer(share.recipe, share.out, runtime, advance)
    return measurer.measure([*share.recipe.data.values()], share.encoders)


def _measurer(
    recipe: TransferStudyRecipe, out: Path, runtime: Runtime, advance: Advance | None
) -> CheckpointMeasurer:
    return CheckpointMeasurer(
        recipe.measure,
        recipe.training.image_size,
        ResultStore(out / "cells"),
        FeatureStore(default_root()),
        runtime,
        advance,
    )
