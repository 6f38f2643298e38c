"""Whether neighbouring frames, flow or both teach to recognise clips (Tian et al. 2020, Table 2)."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.video.clips_words import BOTH, DORSAL, RECOGNISED, VENTRAL, describe
from mitools.analyses.tian2020_cmc.view_encoders.quality import UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import ContrastiveRunsRecipe
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.open import open_data
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import require_modality
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.measures.accuracy_on_test import accuracy_columns, require_test_part
from mitools.report.figures.save import write_chart
from mitools.training.loop.clip_recognition import CLIP, ClipRecognitionRecipe, recognise_clips
from mitools.training.recipes import TrainingRecipe

MEASURED = "encoders fine-tuned"
"""What the progress after training counts."""

Spec = Annotated[str, Field(min_length=1)]


class TaskRecipe(Recipe):
    """Clips that are recognised.

    Attributes
    ----------
    train, test
        Data specs: the parts of an official split.
    """

    train: Spec
    test: Spec


class SplitRecipe(Recipe):
    """What belongs to one official split.

    Attributes
    ----------
    pretraining
        A data spec of the clips that views are contrasted of; that of `training` when None. Those of a
        task's `test` are refused.
    tasks
        By name, alike in all splits.
    """

    pretraining: Spec | None = None
    tasks: Annotated[dict[str, TaskRecipe], Field(min_length=1)]


class ClipsRecipe(ContrastiveRunsRecipe):
    """What the analysis is made from, beside what :class:`ContrastiveRunsRecipe` lists.

    Attributes
    ----------
    frame
        The view whose encoder recognises clips.
    neighbour
        A later frame, read by the same encoder: the ventral stream.
    flow
        Optical flow around the frame: the dorsal stream.
    splits
        Everything is done for each; accuracies are those of split and seed.
    recognition
        How encoders are fine-tuned.
    """

    frame: str = "frame:any"
    neighbour: str = "frame:any?shift=2"
    flow: str = "optical_flow:any"
    splits: Annotated[tuple[SplitRecipe, ...], Field(min_length=1)]
    recognition: ClipRecognitionRecipe = ClipRecognitionRecipe()

    def runs(self) -> dict[tuple[str, int, int], TrainingRecipe]:
        """Give every run, by streams, split and seed."""
        streams = {
            VENTRAL: (self.frame, self.neighbour),
            DORSAL: (self.frame, self.flow),
            BOTH: (self.frame, self.neighbour, self.flow),
        }
        found = {}
        for number, split in enumerate(self.splits):
            for seed in self.seeds:
                for name, views in streams.items():
                    run = self.contrastive(views, seed, core=self.frame)
                    if self.neighbour in views:
                        run = run.with_options(same_encoder={self.neighbour: self.frame})
                    data = split.pretraining or self.training.data
                    found[name, number, seed] = run.model_copy(update={"data": data})
        return found


class _Subject(NamedTuple):
    """An encoder that is fine-tuned: what the table says of it, and its spec."""

    row: dict[str, Any]
    encoder: str


def run(
    recipe: ClipsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train the encoder of a frame with each stream and with both, and recognise clips by it.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`; parts of a
    split that are the same, or of other classes, and data without clips are refused before training.
    """
    _require_parts(recipe)
    runtime, recipes = runtime or Runtime(), recipe.runs()
    folders = train_all({_folder(*key): one for key, one in recipes.items()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    jobs = {}
    for number in range(len(recipe.splits)):
        for seed in recipe.seeds:
            specs = {
                name: run_spec(folders[_folder(name, number, seed)].path, view=0)
                for name in (VENTRAL, DORSAL, BOTH)
            }
            start = run_spec(folders[_folder(VENTRAL, number, seed)].path, 0, view=0)
            subjects = [
                _Subject({"method": name, "split": number + 1, "seed": seed}, spec)
                for name, spec in ({UNTRAINED: start} | specs).items()
            ]
            jobs[f"split {number + 1}, seed {seed}"] = (subjects, recipe, out)
    found = side_by_side(_measure, jobs, runtime, MEASURED, advance)
    table = pd.DataFrame([row for rows in found.values() for row in rows])
    chart = partial(quality_chart, columns=(RECOGNISED,))
    tests = [task.test for split in recipe.splits for task in split.tasks.values()]
    subject = subject_of(tests[0], None, recipe.seeds)
    figures = write_chart(out / "clips", chart, table, "task", subject=subject)
    return write_finding(table, describe(table), out, figures)


def _require_parts(recipe: ClipsRecipe) -> None:
    names = list(recipe.splits[0].tasks)
    for split in recipe.splits:
        if list(split.tasks) != names:
            raise InputError("the tasks of all splits must have the same names, in the same order")
        pretraining = split.pretraining or recipe.training.data
        for spec in (pretraining, *_specs(split)):
            require_modality(open_data(spec), CLIP)
        for task in split.tasks.values():
            require_held_out(pretraining, task.test)
            require_test_part(open_data(task.train), open_data(task.test))


def _specs(split: SplitRecipe) -> list[str]:
    return [spec for task in split.tasks.values() for spec in (task.train, task.test)]


def _measure(
    job: tuple[list[_Subject], ClipsRecipe, Path], runtime: Runtime, advance: Advance | None
) -> list[dict[str, Any]]:
    """Fine-tune the encoders of one split and seed on every task."""
    subjects, recipe, out = job
    results, found = ResultStore(out / "cells"), []
    for subject in subjects:
        split = recipe.splits[subject.row["split"] - 1]
        for name, task in split.tasks.items():
            accuracy = _recognised(subject, task, recipe.recognition, results, runtime)
            found.append({"task": name, **subject.row, **accuracy})
            if advance:
                advance(MEASURED, len(found), len(subjects) * len(split.tasks))
    return found


def _recognised(
    subject: _Subject,
    task: TaskRecipe,
    recognition: ClipRecognitionRecipe,
    results: ResultStore,
    runtime: Runtime,
) -> dict[str, float]:
    encoder, train, test = open_encoder(subject.encoder), open_data(task.train), open_data(task.test)
    if not isinstance(encoder, Encoder):
        raise InputError(f"encoder {subject.encoder} has no weights to train")
    seed = subject.row["seed"]

    def compute() -> Values:
        right = recognise_clips(encoder, train, test, recognition, seed, runtime)
        return {"right": int(right.sum()), "n": len(right)}

    on = {
        "encoder": encoder.digest,
        "preprocess": encoder.preprocess.key,
        "train": train.digest,
        "test": test.digest,
        "recognition": recognition.model_dump(mode="json"),
        "seed": seed,
    }
    values = results.cell("clips recognised", on, compute)
    chance = np.bincount(test.labels, minlength=len(test.classes)).max() / len(test)
    columns = accuracy_columns(RECOGNISED, values["right"], values["n"])
    return columns | {"n_test": values["n"], "commonest_class": float(chance)}


def _folder(name: str, split: int, seed: int) -> str:
    return f"{name.replace(' + ', '-')}-split-{split + 1}-seed-{seed}"
