"""What an encoder keeps of tasks that it was not trained for (Lee et al., Sec. IV-C, Figs. 6 and 7)."""

from pathlib import Path

import pandas as pd
from pydantic import field_validator

from mitools.analyses.lee2023.figures.heat_maps import heat_maps
from mitools.analyses.shared.evaluation import TASKS, Evaluation, EvaluationRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all, with_options
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.training.recipes import TrainingRecipe

UNTRAINED = "nothing"
"""In the column ``trained_on``: the network as all runs start from it."""

KEPT_SHARE = 0.8
"""Share of H(C) from which on a task counts as kept."""

HURT_ACCURACY = 0.02
"""Accuracy that training on all may cost a single task before it counts as hurt: two points."""


class TaskDependenceRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What all four runs share; the objective is ``class`` (L_class), and the data are ``cdp`` without
        ``shared``, which each run names for itself.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`; ``cdp`` as well.
    """

    training: TrainingRecipe
    evaluation: EvaluationRecipe

    @field_validator("training")
    @classmethod
    def _leave_the_task_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        if not training.data.startswith("cdp") or "shared=" in training.data or training.method != "class":
            raise ValueError("the objective must be class, and the data cdp without shared=")
        return training


def run(
    recipe: TaskDependenceRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train on each task, and measure all four on every encoder.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    recipes = {
        task: recipe.training.model_copy(
            update={"data": with_options(recipe.training.data, shared=",".join(shared))}
        )
        for task, shared in TASKS.items()
    }
    runs = train_all(recipes, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    encoders = {task: run_spec(folder.path) for task, folder in runs.items()}
    encoders[UNTRAINED] = f"{encoders['all']}@epoch=0"
    rows = []
    for trained_on, encoder in encoders.items():
        for task, shared in TASKS.items():
            columns = evaluation.certify(encoder, shared).columns
            share = {"i_class_share": columns["i_class_bits"] / columns["h_c_bits"]}
            rows.append({"trained_on": trained_on, "task": task} | share | columns)
    table = pd.DataFrame(rows)
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(out / "task_dependence", heat_maps, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say what the numbers say, and whether the paper's two observations are found again.

    Parameters
    ----------
    table
        One row a pair of tasks, and one a task for the untrained network, as ``results.csv`` has them.
    """
    untrained = table[table["trained_on"] == UNTRAINED].set_index("task")["i_class_share"]
    table = table[table["trained_on"] != UNTRAINED]
    share, accuracy = (
        table.pivot(index="trained_on", columns="task", values=values)
        for values in ("i_class_share", "linear_acc")
    )
    own = {task: share.loc[task, task] for task in TASKS}
    lowest = min(own, key=lambda task: own[task])
    text = (
        f"Encoders keep at least {own[lowest]:.2f} of H(C) of the task they were trained on"
        f" ({lowest} has the least): {_kept(own[lowest])}."
    )
    singles = [task for task in TASKS if task != "all"]
    lost = {task: accuracy.loc[task, task] - accuracy.loc["all", task] for task in singles}
    hurt = [task for task in singles if lost[task] > HURT_ACCURACY]
    accuracies = listed(
        [f"{task} {accuracy.loc['all', task]:.1%} (alone {accuracy.loc[task, task]:.1%})" for task in singles]
    )
    harm = f"hurts {listed(hurt)}, unlike" if hurt else "hurts no single task, as"
    text += f" Trained on all three, linear accuracy is {accuracies}: that {harm} in Lee et al."
    position = share["position"]
    worst = str(position.idxmin())
    survival = (
        "survives every pairing, as"
        if position[worst] >= KEPT_SHARE
        else "does not survive every pairing, unlike"
    )
    text += (
        f" Of position at least {position[worst]:.2f} of H(C) is left (trained on {worst}): it {survival} in"
        " Lee et al."
    )
    foreign = {task: share.loc[[other for other in singles if other != task], task] for task in singles[:2]}
    falls = [
        f"{task} falls to {left.min():.2f} (trained on {left.idxmin()})" for task, left in foreign.items()
    ]
    text += f" In comparison, {listed(falls)}."
    before = listed([f"{task} {untrained[task]:.2f}" for task in singles])
    text += f" The untrained network holds, of H(C), {before}: what is below that, training threw away."
    return text


def _kept(share: float) -> str:
    return (
        f"above {KEPT_SHARE}, as it should"
        if share >= KEPT_SHARE
        else f"below {KEPT_SHARE}, so that training fell short"
    )
