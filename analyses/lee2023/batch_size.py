"""Whether a small batch limits what an encoder learns, or only what its loss shows (Lee et al., Fig. 4)."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.lee2023.figures.batch_size_figure import batch_size_chart
from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe, interval_columns
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.side_by_side import side_by_side
from mitools.analyses.shared.training_runs import in_training_columns, require_held_out, train_all
from mitools.backends.runtime import Runtime
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.core.result_store import Values
from mitools.encoders.sources.run import run_spec
from mitools.measures.critics import projection_critic
from mitools.pairing.same_class import SameClassPairs
from mitools.report.figures.save import write_chart
from mitools.training.loop.run_folder import RunFolder
from mitools.training.recipes import Count, Positive, TrainingRecipe

MEASURED = "runs measured"
"""What the progress after training counts."""

COMPARED_BATCH_SIZES = (4, 64)
"""The two batch sizes whose difference decides; the smallest and the largest where they are not run."""

SAME_READING_BITS = 0.3
"""Two readings after training that differ by no more than this count as the same."""

KEPT_SHARE = 5 / 6
"""Share of H(C) above which an encoder counts as having kept the classes."""


class BatchSizeRun(Recipe):
    """One training run: its batch size K_Tr, and its learning rate where that is not the common one."""

    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Positive | None = None


class BatchSizeRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What all runs share; the objective is ``class`` (L_class).
    runs
        One run a batch size, on the same number of images.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`.
    k_est
        Pairs a step of the critic that is trained after training (the paper's K_Est).
    critic_steps
        Steps of that critic at most; it stops when the reading of held-out pairs no longer rises.
    """

    training: TrainingRecipe
    runs: Annotated[tuple[BatchSizeRun, ...], Field(min_length=2)]
    evaluation: EvaluationRecipe
    k_est: Annotated[int, Field(ge=2)] = 256
    critic_steps: Count = 3000

    @field_validator("training")
    @classmethod
    def _leave_the_batch_size_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        if "batch_size" in training.model_fields_set or training.method != "class":
            raise ValueError("the objective must be class, and batch_size stands in runs")
        return training


def run(
    recipe: BatchSizeRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train under L_class with every batch size; compare estimates during and after training.

    Parameters
    ----------
    recipe
        See :class:`BatchSizeRecipe`.
    out
        Folder for everything; an earlier, unfinished run in it is continued.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    runtime
        Device, precision and processes; one CPU process when None.

    Returns
    -------
    Finding or None
        None in processes that only helped to train.

    Raises
    ------
    InputError
        When the recipe does not fit the data, or `out` holds another recipe's runs.
    NotFiniteError
        When a loss is not finite.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    runs = train_all({f"k{one.batch_size}": _recipe(recipe.training, one) for one in recipe.runs}, out,
                     runtime, advance)  # fmt: skip
    if not runtime.is_main:
        return None
    jobs = {name: (folder, recipe, out) for name, folder in runs.items()}
    rows = side_by_side(_measure, jobs, runtime, MEASURED, advance)
    table = pd.DataFrame(rows.values()).sort_values("k_tr", ignore_index=True)
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(out / "batch_size", batch_size_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say.

    Parameters
    ----------
    table
        One row a batch size in rising order, as ``results.csv`` has them.
    """
    small, large = _compared(table)
    h_c = float(table["h_c_bits"].iloc[0])
    above = table[table["in_training_bits"] > table["in_training_ceiling_bits"]]
    first, last = table.iloc[0], table.iloc[-1]
    text = (
        f"H(C) is {h_c:.2f} bits. During training the estimate rises from {first['in_training_bits']:.2f}"
        f" bits at K_Tr = {first['k_tr']:.0f} to {last['in_training_bits']:.2f}"
        f" at K_Tr = {last['k_tr']:.0f}, and "
    )
    text += (
        "never lies above its ceiling log2(2 K_Tr - 1)."
        if above.empty
        else f"lies above its ceiling log2(2 K_Tr - 1) at K_Tr = {', '.join(map(str, above['k_tr']))}."
    )
    low, high = table["i_class_bits"].min(), table["i_class_bits"].max()
    gap = abs(small["i_class_bits"] - large["i_class_bits"])
    same = gap <= SAME_READING_BITS
    text += (
        f" After training the certificate reads {low:.2f} to {high:.2f} bits: {_certified(small)},"
        f" {_certified(large)}, which are {gap:.2f} bits apart"
        f" ({'within' if same else 'more than'} {SAME_READING_BITS});"
        f" NT-Xent reads {small['nt_xent_bits']:.2f} and {large['nt_xent_bits']:.2f}. Linear accuracy lies"
        f" between {table['linear_acc'].min():.1%} and {table['linear_acc'].max():.1%}."
    )
    least = min(small["i_class_bits"], large["i_class_bits"])
    kept = least > KEPT_SHARE * h_c
    beyond = small["i_class_low"] > small["in_training_ceiling_bits"]
    if same and kept and beyond:
        text += (
            f" So a batch of {small['k_tr']:.0f} limits what the loss can show"
            f" ({small['in_training_ceiling_bits']:.2f} bits) and not what the encoder holds, as Lee et al."
            " found."
        )
    else:
        against = [
            *([] if same else [f"the two readings differ by {gap:.2f} bits"]),
            *([] if kept else [f"{least:.2f} bits are not above {KEPT_SHARE * h_c:.2f} of {h_c:.2f}"]),
            *([] if beyond else [f"K_Tr = {small['k_tr']:.0f} is not certified beyond its training ceiling"]),
        ]
        text += f" This does not show what Lee et al. found: {'; '.join(against)}."
    before = first["untrained_i_class_bits"]
    text += f" The same network untrained reads {before:.2f} bits ({first['untrained_linear_acc']:.1%}):"
    if before > KEPT_SHARE * h_c:
        return text + " images as easy as these show what training keeps, not what it brings."
    return text + " the rest is what training brought."


def _recipe(training: TrainingRecipe, one: BatchSizeRun) -> TrainingRecipe:
    optimiser = training.optimiser
    if one.learning_rate is not None:
        optimiser = optimiser.model_copy(update={"learning_rate": one.learning_rate})
    return training.model_copy(update={"batch_size": one.batch_size, "optimiser": optimiser})


def _measure(
    job: tuple[RunFolder, BatchSizeRecipe, Path], runtime: Runtime, advance: Advance | None
) -> Values:
    folder, recipe, out = job
    row = _row(folder, Evaluation(recipe.evaluation, out, runtime, advance), recipe)
    if advance:
        advance(MEASURED, 1, 1)
    return row


def _row(folder: RunFolder, evaluation: Evaluation, recipe: BatchSizeRecipe) -> Values:
    trained, encoder = folder.recipe(), run_spec(folder.path)
    certified = evaluation.certify(encoder)
    untrained = evaluation.certify(f"{encoder}@epoch=0").columns
    nt_xent = _nt_xent(encoder, evaluation, recipe)
    return {
        "k_tr": trained.batch_size,
        "learning_rate": trained.optimiser.learning_rate,
        "steps": folder.metrics()[-1]["step"] + 1,
        **in_training_columns(folder),
        **certified.columns,
        "untrained_i_class_bits": untrained["i_class_bits"],
        "untrained_linear_acc": untrained["linear_acc"],
        **interval_columns("nt_xent", nt_xent),
        "nt_xent_ceiling_bits": nt_xent.ceiling_bits,
        "nt_xent_pairs": nt_xent.settings["pairs"],
        "nt_xent_warnings": ", ".join(warning.word for warning in nt_xent.warnings),
    }


def _nt_xent(encoder: str, evaluation: Evaluation, recipe: BatchSizeRecipe) -> Estimate:
    """Train a projection head on the frozen features, and read NT-Xent once on the report images.

    K_Est and the steps are the recipe's, so that this is no measure of the registry but the same critic with
    settings of the paper's.
    """
    representation, settings = evaluation.representation(evaluation.features(encoder)), evaluation.settings
    options: dict[str, Any] = {
        "batch_size": recipe.k_est,
        "max_steps": recipe.critic_steps,
        "scaling": "rank_normal",
    }

    def compute() -> Values:
        critic = projection_critic(settings, method="nt_xent", **options)
        pairs = SameClassPairs(representation.labels, settings.prior)
        critic.fit(representation.rows, representation.rows, pairs, representation.parts)
        return {"estimate": critic.estimate_.to_dict()}

    on = {"features": representation.keys["rows"]} | settings.record() | options
    return Estimate.from_dict(evaluation.results.cell("nt_xent", on, compute)["estimate"])


def _compared(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    by_size = table.set_index("k_tr", drop=False)
    small, large = (
        size if size in by_size.index else by_size.index[place]
        for size, place in zip(COMPARED_BATCH_SIZES, (0, -1), strict=True)
    )
    return by_size.loc[small], by_size.loc[large]


def _certified(row: pd.Series) -> str:
    return (
        f"{row['i_class_bits']:.2f} ({row['i_class_low']:.2f} to {row['i_class_high']:.2f})"
        f" at K_Tr = {row['k_tr']:.0f}"
    )
