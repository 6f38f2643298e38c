"""What the encoder of one view is good for: certified bits of the label, and segmentation by a decoder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.tian2020_cmc.view_encoders.recipe import ViewEncodersRecipe
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.result_store import Values
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import require_modality
from mitools.encoders.open import open_encoder
from mitools.metrics.segmentation import mean_iou, pixel_accuracy
from mitools.training.loop.segmentation import SegmentationRecipe, segmentation_confusion
from mitools.training.recipes import Count

UNTRAINED = "untrained"
"""The method of encoders as training starts from them."""

SUPERVISED = "supervised"
"""The method of untrained encoders that are trained together with their decoder."""

MEASURED = "encoders measured"
"""What the progress after training counts."""


class SegmentedViewsRecipe(ViewEncodersRecipe):
    """What the studies that segment are made from, beside what :class:`ViewEncodersRecipe` lists.

    Attributes
    ----------
    segmentation
        How decoders are trained, on the data of `training`; they are read on those of `evaluation`. None for
        the certificate and linear accuracy alone, and so without supervised encoders.
    baseline_epochs
        Of the decoders of untrained and supervised encoders, for which the paper takes more (E.4); as many
        as of all others when None.
    """

    segmentation: SegmentationRecipe | None = None
    baseline_epochs: Count | None = None

    def decoder_of(self, method: str) -> SegmentationRecipe:
        """Give how the decoder of such an encoder is trained; only where there is a segmentation."""
        assert self.segmentation is not None
        if self.baseline_epochs is None or method not in (UNTRAINED, SUPERVISED):
            return self.segmentation
        return self.segmentation.model_copy(update={"epochs": self.baseline_epochs})


class Subject(NamedTuple):
    """An encoder that is measured.

    Attributes
    ----------
    row
        What the table says of it; with ``method`` and ``seed``.
    encoder
        Its spec; of a supervised one, where its training starts.
    """

    row: dict[str, Any]
    encoder: str


def require_segmentation(recipe: SegmentedViewsRecipe) -> None:
    """Refuse data without a segmentation, where it is measured, before the hours of training.

    Raises
    ------
    InputError
        When the data for training or evaluation have none.
    """
    if recipe.segmentation is None:
        return
    for spec in (recipe.training.data, recipe.evaluation.data):
        require_modality(open_data(spec), "segmentation")


def measure_quality(
    subjects: Sequence[Subject],
    recipe: SegmentedViewsRecipe,
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> pd.DataFrame:
    """Measure every encoder, the seeds side by side.

    Parameters
    ----------
    subjects
        Encoders of one view each.
    recipe, out, runtime, advance
        As for :func:`mitools.analyses.lee2023.batch_size.run`.

    Returns
    -------
    DataFrame
        One row a subject, in their order: its own columns, those of a certificate (none of a supervised
        encoder, which is trained for segmentation alone), and where the recipe has a segmentation
        ``pixel_accuracy`` and ``mean_iou``.

    Raises
    ------
    InputError
        When an encoder or the data cannot be had.
    """
    seeds = dict.fromkeys(subject.row["seed"] for subject in subjects)
    jobs = {
        f"seed {seed}": (tuple(one for one in subjects if one.row["seed"] == seed), recipe, out)
        for seed in seeds
    }
    found = side_by_side(_measure, jobs, runtime, MEASURED, advance)
    left = {name: iter(rows) for name, rows in found.items()}
    return pd.DataFrame([next(left[f"seed {subject.row['seed']}"]) for subject in subjects])


def _measure(
    job: tuple[tuple[Subject, ...], SegmentedViewsRecipe, Path], runtime: Runtime, advance: Advance | None
) -> list[dict[str, Any]]:
    """Measure the subjects of a seed, in their order."""
    subjects, recipe, out = job
    evaluation = Evaluation(recipe.evaluation, out, runtime)
    decoded = open_data(recipe.training.data)
    found = []
    for done, subject in enumerate(subjects, start=1):
        row = dict(subject.row)
        if row["method"] != SUPERVISED:
            row |= evaluation.certify(subject.encoder).columns
        if recipe.segmentation is not None:
            row |= _segmentation(subject, recipe, decoded, evaluation, runtime)
        found.append(row)
        if advance:
            advance(MEASURED, done, len(subjects))
    return found


def _segmentation(
    subject: Subject,
    recipe: SegmentedViewsRecipe,
    decoded: LabelledData,
    evaluation: Evaluation,
    runtime: Runtime,
) -> dict[str, float]:
    encoder = open_encoder(subject.encoder)
    if not isinstance(encoder, Encoder):
        raise InputError(f"encoder {subject.encoder} has no feature maps to decode")
    method, seed = subject.row["method"], subject.row["seed"]
    decoder, frozen = recipe.decoder_of(method), method != SUPERVISED
    on = {
        "encoder": encoder.digest,
        "preprocess": encoder.preprocess.key,
        "train": decoded.digest,
        "test": evaluation.data.digest,
        "decoder": decoder.model_dump(),
        "frozen": frozen,
        "seed": seed,
    }

    def compute() -> Values:
        confusion = segmentation_confusion(
            encoder, decoded, evaluation.data, decoder, frozen=frozen, seed=seed, runtime=runtime
        )
        return {"confusion": confusion.tolist()}

    confusion = np.array(evaluation.results.cell("segmentation", on, compute)["confusion"])
    return {"pixel_accuracy": pixel_accuracy(confusion), "mean_iou": mean_iou(confusion)}
