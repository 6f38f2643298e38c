"""Whether AutoAugment lessens over-compression, and whether CTC adds to it (Fig. 8, Tables 3, 4)."""

from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import field_validator, model_validator

from mitools.analyses.cui2022.augmented.figure import transfer_with_and_without
from mitools.analyses.cui2022.augmented.words import describe
from mitools.analyses.cui2022.changes import CTC, VANILLA
from mitools.analyses.cui2022.settings_table import measured_settings
from mitools.analyses.cui2022.transfer_study import TransferStudyRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import make_recipe
from mitools.report.figures.save import write_chart
from mitools.training.methods.ctc import CTCOptions
from mitools.training.recipes import TrainingRecipe
from mitools.views.recipes import AugmentationRecipe

AUTO = "-auto"
"""What the name of a run with AutoAugment ends in."""


class AugmentedRecipe(TransferStudyRecipe):
    """What the analysis is made from; the rest is :class:`.TransferStudyRecipe`'s.

    Attributes
    ----------
    ctc
        Of the CTC runs, which have as many epochs as cross-entropy alone.
    policy
        AutoAugment's, by the data set that it was learnt on; the steps of ``training.augmentation`` stay.
    """

    ctc: CTCOptions = CTCOptions()
    policy: Literal["cifar10", "imagenet", "svhn"] = "cifar10"

    @field_validator("training")
    @classmethod
    def _leave_the_policy_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        given = training.augmentation
        if not isinstance(given, AugmentationRecipe) or given.auto is not None:
            raise ValueError("write the keys of an augmentation without auto, which the runs differ in")
        return training

    @model_validator(mode="after")
    def _settings_can_be_made(self) -> "AugmentedRecipe":
        self.settings()
        return self

    def settings(self) -> dict[str, TrainingRecipe]:
        """Give the training of both methods without and with AutoAugment, by name."""
        plain = self.training.model_dump()
        auto = plain | {"augmentation": plain["augmentation"] | {"auto": self.policy}}
        of_ctc = {"method": "ctc", "options": self.ctc.model_dump()}
        contents = {
            VANILLA: plain,
            CTC: plain | of_ctc,
            f"{VANILLA}{AUTO}": auto,
            f"{CTC}{AUTO}": auto | of_ctc,
        }
        return {name: make_recipe(content, TrainingRecipe, name) for name, content in contents.items()}


def run(
    recipe: AugmentedRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train both methods without and with AutoAugment for equal epochs, and measure every kept checkpoint.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    measured = measured_settings(recipe, recipe.settings(), out, runtime or Runtime(), advance)
    if measured is None:
        return None
    table = with_policy(measured)
    subject = subject_of(recipe.source, table, recipe.seeds)
    figures = write_chart(out / "augmented", transfer_with_and_without, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def with_policy(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``method`` and ``auto_augment`` to every row."""
    return table.assign(
        method=table["setting"].str.removesuffix(AUTO), auto_augment=table["setting"].str.endswith(AUTO)
    )
