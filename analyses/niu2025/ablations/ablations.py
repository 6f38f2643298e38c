"""Which parts of IMSVD matter: five tables, every row against the shared one (Niu et al., Sec. V-B)."""

from pathlib import Path
from typing import Any

import pandas as pd

from mitools.analyses.niu2025.ablations.figure import ablation_tables
from mitools.analyses.niu2025.ablations.recipe import AblationsRecipe, Row
from mitools.analyses.niu2025.ablations.words import describe
from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.runs_by_setting import train_every_seed
from mitools.analyses.shared.training_runs import require_held_out
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart

NEIGHBOURS = (20, 200)
"""Of the two nearest-neighbour classifiers, as in Table II."""

UNTRAINED = "untrained"
"""``table`` and ``method`` of the rows of the untrained networks, one a seed."""


def run(
    recipe: AblationsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train every row of the five tables with every seed, and read all encoders by the official protocol.

    A run that several tables have in common is trained once.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.test)
    runtime = runtime or Runtime()
    rows = recipe.rows()
    names = _names(rows)
    distinct = {name: row.recipe for name, row in zip(names, rows, strict=True)}
    folders = train_every_seed(distinct, recipe.seeds, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(
        EvaluationRecipe(data=recipe.training.data, prior="empirical"), out, runtime, advance
    )

    def read(spec: str) -> dict[str, Any]:
        return evaluation.test_accuracy(spec, recipe.test, neighbours=NEIGHBOURS)

    found = []
    for seed in recipe.seeds:
        start = folders[names[0], seed].path
        of_seed = {"table": UNTRAINED, "setting": "", "method": UNTRAINED, "seed": seed, "shared": False}
        found.append(of_seed | read(run_spec(start, 0)))
        for row, name in zip(rows, names, strict=True):
            place = {"table": row.table, "setting": row.setting, "method": row.method, "seed": seed}
            place |= {"shared": row.setting == recipe.shared[row.table]}
            found.append(place | read(run_spec(folders[name, seed].path)))
    table = pd.DataFrame(found)
    subject = subject_of(recipe.test, seeds=recipe.seeds)
    figures = write_chart(out / "ablations", ablation_tables, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def _names(rows: list[Row]) -> list[str]:
    """Give for every row the name of the first one with the same training."""
    first: dict[str, str] = {}
    return [first.setdefault(row.recipe.model_dump_json(), row.name) for row in rows]
