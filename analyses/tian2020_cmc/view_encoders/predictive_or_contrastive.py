"""Whether contrast is better than prediction, on other data and another task (Tian et al. 2020, Table 5)."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, model_validator

from mitools.analyses.cui2022.fine_tuning import FineTuningRecipe
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
from mitools.analyses.tian2020_cmc.view_encoders.quality import SUPERVISED, UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import PREDICTIVE, ViewEncodersRecipe, Width
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.result_store import Values
from mitools.encoders.encoder import Encoder
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import run_spec
from mitools.estimators.inputs.splits import split
from mitools.measures.accuracy_on_test import accuracy_columns
from mitools.report.figures.save import write_chart
from mitools.training.loop.fine_tuning import fine_tuned_transfer
from mitools.training.recipes import TrainingRecipe

CONTRASTIVE = "contrastive"

PAPER_FINDING = "Tian et al. found contrast ahead with each of the three views."


class PredictiveOrContrastiveRecipe(ViewEncodersRecipe):
    """What the analysis is made from, beside what :class:`ViewEncodersRecipe` lists.

    Attributes
    ----------
    view
        Whose encoder is trained and measured: one of the image, which other data have as well.
    others
        It is trained with each of these, once by contrast and once by prediction of it.
    decoder_width
        Channels of the maps of the decoders that predict.
    supervised
        How an untrained encoder and a classifier are trained together on the data of `evaluation`, for the
        supervised row; read on a fifth of them.
    """

    view: str = "lab:l"
    others: Annotated[tuple[str, ...], Field(min_length=1)] = ("depth", "normals", "segmentation?classes=6")
    decoder_width: Width = 64
    supervised: FineTuningRecipe

    @model_validator(mode="after")
    def _contrast_with_others(self) -> "PredictiveOrContrastiveRecipe":
        if self.view in self.others or len(set(self.others)) < len(self.others):
            raise ValueError("others names each further view once, and not the view itself")
        return self

    def runs(self) -> dict[tuple[str, str, int], TrainingRecipe]:
        """Give every run, by method, other view and seed."""
        found = {}
        for seed in self.seeds:
            for other in self.others:
                found[PREDICTIVE, other, seed] = self.predictive(self.view, other, seed, self.decoder_width)
                found[CONTRASTIVE, other, seed] = self.contrastive((self.view, other), seed)
        return found


def run(
    recipe: PredictiveOrContrastiveRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train the encoder of a view both ways with each other view, and classify other data by it.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime, recipes = runtime or Runtime(), recipe.runs()
    names = {key: _folder(recipe, *key) for key in recipes}
    folders = train_all({names[key]: one for key, one in recipes.items()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    rows = []
    for seed in recipe.seeds:
        start = run_spec(folders[names[CONTRASTIVE, recipe.others[0], seed]].path, 0, view=0)
        rows.append(_row(UNTRAINED, UNTRAINED, seed) | evaluation.certify(start).columns)
        for other in recipe.others:
            for method in (PREDICTIVE, CONTRASTIVE):
                encoder = run_spec(folders[names[method, other, seed]].path, view=0)
                rows.append(_row(other, method, seed) | evaluation.certify(encoder).columns)
        supervised = _supervised(start, recipe, evaluation, seed, runtime, advance)
        rows.append(_row(SUPERVISED, SUPERVISED, seed) | supervised)
    table = pd.DataFrame(rows).assign(view=recipe.view)
    columns = tuple(measure.column for measure in LABEL_MEASURES)
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(
        out / "predictive_or_contrastive",
        partial(quality_chart, columns=columns),
        table,
        "other",
        subject=subject,
    )
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say which of contrast and prediction is better, with which view.

    Parameters
    ----------
    table
        One row a further view, method and seed, as ``results.csv`` has them.
    """
    seeds, trained = table["seed"].nunique(), table[table["method"].isin([PREDICTIVE, CONTRASTIVE])]
    others = list(dict.fromkeys(trained["other"]))
    text = (
        f"The encoder of {table['view'].iloc[0]}, trained with {listed(others)} in turn, classifies data that"
        f" it was not trained on: {seeds} seed{'s' * (seeds > 1)}, differences paired by seed; H(C) is"
        f" {table['h_c_bits'].dropna().iloc[0]:.2f} bits."
    )
    for measure in LABEL_MEASURES:
        text += _by_other(table, others, measure) + _beside_untrained(table, others, measure)
    supervised = table.loc[table["method"] == SUPERVISED, "linear_acc"].mean()
    return (
        f"{text} Trained with the labels of those data, the same network reaches {100 * supervised:.1f}%"
        f" of the items that it is read on. {PAPER_FINDING}{ONE_SEED * (seeds == 1)}"
    )


def _by_other(table: pd.DataFrame, others: list[str], measure: Measure) -> str:
    told = []
    for other in others:
        own = table[table["other"] == other]
        means = own.groupby("method")[measure.column].mean()
        difference = paired_by_seed(own, measure.column, {"method": CONTRASTIVE}, {"method": PREDICTIVE})
        told.append(
            f"with {other} {measure.number(means[CONTRASTIVE])} by contrast and"
            f" {measure.value(means[PREDICTIVE])} by prediction, a difference of"
            f" {measure.change(difference)}, {VERDICTS[difference.sign]}"
        )
    return f" {measure.title}: {'; '.join(told)}."


def _beside_untrained(table: pd.DataFrame, others: list[str], measure: Measure) -> str:
    start = table.loc[table["method"] == UNTRAINED, measure.column].mean()
    settings = [
        {"method": method, "other": other} for method in (CONTRASTIVE, PREDICTIVE) for other in others
    ]
    signs = [paired_by_seed(table, measure.column, one, {"method": UNTRAINED}).sign for one in settings]
    return (
        f" The untrained encoder has {measure.value(start)}: {signs.count(1)} of {len(signs)} trained ones"
        f" have more beyond the interval, {signs.count(-1)} less."
    )


def _row(other: str, method: str, seed: int) -> dict[str, Any]:
    return {"other": other, "method": method, "seed": seed}


def _supervised(
    encoder: str,
    recipe: PredictiveOrContrastiveRecipe,
    evaluation: Evaluation,
    seed: int,
    runtime: Runtime,
    advance: Advance | None,
) -> dict[str, float]:
    """Train an untrained encoder and a classifier on four fifths of the data; accuracy on the last one."""
    start, data, protocol = open_encoder(encoder), evaluation.data, recipe.supervised.protocol()
    if not isinstance(start, Encoder):
        raise InputError(f"encoder {encoder} has no weights to train")
    parts = split(len(data), data.labels, recipe.evaluation.seed)

    def compute() -> Values:
        right = fine_tuned_transfer(start, data, parts, protocol, seed, runtime, advance)
        return {"right": int(right.sum()), "n": len(right)}

    on = {"encoder": start.digest, "data": data.digest, "split": recipe.evaluation.seed, "seed": seed}
    values = evaluation.results.cell("supervised", on | asdict(protocol), compute)
    return accuracy_columns("linear_acc", values["right"], values["n"]) | {"n_report": values["n"]}


def _folder(recipe: PredictiveOrContrastiveRecipe, method: str, other: str, seed: int) -> str:
    return f"{method}-{recipe.others.index(other)}-seed-{seed}"
