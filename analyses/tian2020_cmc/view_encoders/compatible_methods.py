"""Whether momentum encoders, nine crops and RandAugment add to CMC (Tian et al. 2020, Table 9)."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.paired_seeds import paired_by_seed
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import (
    LABEL_MEASURES,
    ONE_SEED,
    VERDICTS,
    Measure,
)
from mitools.analyses.tian2020_cmc.view_encoders.quality import UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import ViewEncodersRecipe, Views
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.recipes import make_recipe
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.training.methods.multiview.options import ENCODER_MOMENTUM
from mitools.training.recipes import TrainingRecipe
from mitools.views.recipes import Augmentation

VIEWS, ONE = "an encoder a view", "one encoder"
"""Methods: what the settings have in common."""

CMC = "CMC"
"""The setting that all others are compared with."""

START = {VIEWS: "untrained", ONE: "untrained, one"}

PAPER_FINDING = (
    "On ImageNet-100 Tian et al. found 75.6% by CMC, and more with each: 1.6 points with MoCo, 2.4 with PIRL,"
    " 3.7 with both, 5.9 with RandAugment besides; MoCo alone has 73.5%."
)


class CompatibleMethodsRecipe(ViewEncodersRecipe):
    """What the analysis is made from, beside what :class:`ViewEncodersRecipe` lists.

    The baselines of one encoder are MoCo, and MoCo with PIRL's branch: PIRL's own memory bank of one encoder
    is not offered.

    Attributes
    ----------
    views
        Contrasted with each other; their encoders are measured side by side, as the paper uses L and ab.
    jigsaw
        The nine crops of PIRL's branch.
    rand_augment
        The augmentation of the last setting, ``infomin`` with its options, in place of that of `training`.
    encoder_momentum
        What stays of a momentum encoder's weight at a step; less than MoCo's 0.999 for runs of few steps.
    """

    views: Views = ("lab:l", "lab:ab")
    jigsaw: str = "jigsaw"
    rand_augment: Augmentation
    encoder_momentum: Annotated[float, Field(ge=0, lt=1)] = ENCODER_MOMENTUM

    @field_validator("training")
    @classmethod
    def _begin_from_a_bank(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.options["negatives"] != "bank" or training.options["jigsaw"] is not None:
            raise ValueError("negatives must be bank, without jigsaw: MoCo and PIRL are added to it")
        return training

    def runs(self) -> dict[tuple[str, int], TrainingRecipe]:
        """Give every run, by setting and seed."""
        found: dict[tuple[str, int], TrainingRecipe] = {}
        for seed in self.seeds:
            bank = self.contrastive(self.views, seed)
            queue = {"negatives": "queue", "momentum": self.encoder_momentum}
            crops = {"jigsaw": self.jigsaw}
            stronger = bank.with_options(**queue, **crops).model_copy(
                update={"augmentation": self.rand_augment}
            )
            settings = {
                "MoCo": self._one_encoder(seed),
                "MoCo + PIRL": self._one_encoder(seed, **crops),
                CMC: bank,
                f"{CMC} + MoCo": bank.with_options(**queue),
                f"{CMC} + PIRL": bank.with_options(**crops),
                f"{CMC} + MoCo + PIRL": bank.with_options(**queue, **crops),
                f"{CMC} + MoCo + PIRL + RA": stronger,
            }
            found |= {(name, seed): one for name, one in settings.items()}
        return found

    def _one_encoder(self, seed: int, **options: Any) -> TrainingRecipe:
        own = self.training.options
        kept = {key: own[key] for key in ("temperature", "head", "head_width", "negatives_count")}
        kept["momentum"] = self.encoder_momentum
        content = self.training.model_dump() | {"method": "moco", "options": kept | options, "seed": seed}
        return make_recipe(content, TrainingRecipe, "MoCo of one encoder")


def run(
    recipe: CompatibleMethodsRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train every combination, and measure the encoders of all views side by side.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime, recipes = runtime or Runtime(), recipe.runs()
    folders = train_all({_folder(*key): one for key, one in recipes.items()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    rows = []
    for seed in recipe.seeds:
        for method, first in ((ONE, "MoCo"), (VIEWS, CMC)):
            start = run_spec(folders[_folder(first, seed)].path, 0)
            rows.append({"setting": START[method], "method": UNTRAINED} | _measured(start, seed, evaluation))
            for setting, own in recipes:
                if own == seed and (CMC in setting) == (method == VIEWS):
                    spec = run_spec(folders[_folder(setting, seed)].path)
                    rows.append({"setting": setting, "method": method} | _measured(spec, seed, evaluation))
    table = pd.DataFrame(rows)
    chart = partial(quality_chart, columns=tuple(measure.column for measure in LABEL_MEASURES))
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "compatible_methods", chart, table, "setting", subject=subject)
    return write_finding(table, describe(table), out, figures)


def _measured(spec: str, seed: int, evaluation: Evaluation) -> dict[str, Any]:
    encoder = open_encoder(spec)
    if not isinstance(encoder, Encoder):
        raise InputError(f"encoder {spec} has no weights")
    weights = sum(weight.numel() for weight in encoder.module.parameters())
    return {"seed": seed, "weights": weights} | evaluation.certify(spec).columns


def describe(table: pd.DataFrame) -> str:
    """Say what each combination brings, over CMC and over an untrained encoder.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` of ``compatible_methods`` has them.
    """
    seeds, sizes = table["seed"].nunique(), table.groupby("method")["weights"].first()
    text = (
        f"{seeds} seed{'s' * (seeds > 1)} of every setting, differences paired by seed; H(C) is"
        f" {table['h_c_bits'].iloc[0]:.2f} bits. The encoders of the views have {sizes[VIEWS]:,} weights"
        f" together, the one encoder of MoCo {sizes[ONE]:,}."
    )
    for measure in LABEL_MEASURES:
        text += _added(table, measure) + _baselines(table, measure)
    return f"{text} {PAPER_FINDING}{ONE_SEED * (seeds == 1)}"


def _added(table: pd.DataFrame, measure: Measure) -> str:
    """Say what CMC has, and what each addition brings."""
    means = table.groupby("setting")[measure.column].mean()
    start = _difference(table, measure, CMC, START[VIEWS])
    told = [
        f"{setting.removeprefix(CMC + ' + ')} {_difference(table, measure, setting, CMC)}"
        for setting in dict.fromkeys(table["setting"])
        if setting.startswith(f"{CMC} + ")
    ]
    return (
        f" {measure.title}: CMC has {measure.value(means[CMC])}, against its untrained encoders {start};"
        f" further it gains by {'; '.join(told)}."
    )


def _baselines(table: pd.DataFrame, measure: Measure) -> str:
    told = [
        f"{setting} {measure.value(table.loc[table['setting'] == setting, measure.column].mean())}, against"
        f" its untrained encoder {_difference(table, measure, setting, START[ONE])}"
        for setting in dict.fromkeys(table.loc[table["method"] == ONE, "setting"])
    ]
    against = _difference(table, measure, CMC, "MoCo")
    return f" One encoder of RGB: {listed(told)}; CMC against MoCo {against}."


def _difference(table: pd.DataFrame, measure: Measure, one: str, other: str) -> str:
    found = paired_by_seed(table, measure.column, {"setting": one}, {"setting": other})
    return f"{measure.change(found)}, {VERDICTS[found.sign]}"


def _folder(setting: str, seed: int) -> str:
    return f"{setting.replace(' + ', '-')}-seed-{seed}"
