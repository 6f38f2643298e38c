"""The study of intervals: counted by hand, goes on where it stopped, and right where the theory is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.checks.coverage import CoverageRecipe, _cells, _reading, count, describe, run
from mitools.analyses.checks.coverage_tasks import (
    COVERAGE_TASKS,
    INDEPENDENT_TASKS,
    LABEL_TASKS,
    SYMBOL_TASKS,
    draw,
)
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Interval
from mitools.core.recipes import read_recipe

BRIEF = CoverageRecipe(
    tasks=("normal 1x1", "symmetric channel 8 symbols", "independent: ties, normal"),
    methods=("gaussian", "discrete"),
    samples={200: 40},
    trained_methods=("infonce",),
    trained_size=100,
    trained_seeds=1,
    max_steps=5,
    auto_size=300,
    auto_seeds=2,
)


def test_from_tasks_to_files_and_again(tmp_path):
    found = run(BRIEF, tmp_path)
    cells = found.table.set_index(["task", "method"])
    assert set(found.table["method"]) == {"gaussian", "discrete", "infonce", "auto"}
    assert ("normal 1x1", "discrete") not in cells.index
    exact = cells.loc[("normal 1x1", "gaussian")]
    assert (exact["n"], exact["seeds"], exact["warned"]) == (200, 40, 0)
    assert 0.85 <= exact["held"] <= 1
    assert abs(exact["mean_error"]) < 0.04
    assert cells.loc[("independent: ties, normal", "gaussian"), "truth"] == 0
    names = {path.name for path in found.files}
    assert names == {"results.csv", "reading.txt", "coverage.png", "coverage.svg", "coverage.pdf"}

    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")}
    assert run(BRIEF, tmp_path).reading == found.reading
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")} == written


def counted(*found_and_truth):
    """Count some estimates as if all were samples of one task."""
    rows = [{"task": "t", "method": "m", "n": 9} | _reading(found, truth) for found, truth in found_and_truth]
    return count(pd.DataFrame(rows)).iloc[0]


def test_a_reading_by_hand():
    interval = Interval(0.4, 0.6, 0.95)
    point = Estimate("ksg", "point estimate", 0.5, 0.05, interval, null_nats=0.1)
    assert [counted((point, truth))["held"] for truth in (0.3, 0.5, 0.7)] == [0, 1, 0]
    bound = Estimate("dv", "lower bound", 0.5, 0.05, interval)
    assert [counted((bound, truth))["held"] for truth in (0.3, 0.5, 0.7)] == [0, 1, 1]
    told = Estimate("nsb", "point estimate", 0.5, warnings=(EstimateWarning("undersampled", "few"),))
    read = counted((told, 2.0))
    shares = ["held", "without_interval", "warned", "claimed"]
    assert read[shares].tolist() == [1, 1, 1, 0]
    assert counted((point, 0.0))["claimed"] == 1
    other = Estimate("ksg", "point estimate", 0.5, warnings=(EstimateWarning("near_copies", "some"),))
    assert counted((other, 0.5))["warned"] == 0


def test_shares_are_of_all_samples():
    interval = Interval(0.4, 0.6, 0.95)
    point = Estimate("ksg", "point estimate", 0.5, 0.05, interval)
    doubtful = Estimate(
        "ksg", "point estimate", 0.5, 0.05, interval, warnings=(EstimateWarning("few_pairs", ""),)
    )
    row = counted((point, 0.5), (point, 0.7), (doubtful, 0.7), (doubtful, 0.5))
    assert row[["held", "warned", "held_or_warned"]].tolist() == [0.5, 0.5, 0.75]
    assert (row["seeds"], round(row["mean_error"], 3), round(row["mean_width"], 3)) == (4, -0.1, 0.2)


def test_more_seeds_leave_the_cells_of_the_first_ones_as_they_are():
    few, more = (BRIEF.model_copy(update={"samples": {200: n}}) for n in (20, 30))
    assert set(_cells(few)) < set(_cells(more))
    seeds = [cell.first_seed for cell in _cells(BRIEF.model_copy(update={"first_seed": 1000}))]
    assert min(seeds) == 1000


def test_every_method_of_symbols_and_of_labels_has_tasks():
    for task in SYMBOL_TASKS:
        known = draw(task, 50, 0)
        assert known.x.dtype.kind == known.y.dtype.kind == "i"
    for task in ("two sizes, 3 columns", "exclusive or, 2 columns", "10 labelled intervals"):
        known = draw(task, 50, 0)
        assert (known.x.ndim, known.y.dtype.kind) == (2, "i")
        assert 0 < known.nats < np.log(10)
    assert min(len(SYMBOL_TASKS), len(LABEL_TASKS)) > 8
    assert len(set(COVERAGE_TASKS)) == len(COVERAGE_TASKS)


def test_the_paragraph():
    row = {
        "task": "t",
        "method": "ksg",
        "n": 300,
        "truth": 1.0,
        "held": 0.5,
        "held_or_warned": 0.5,
        "seeds": 20,
        "claimed": 1,
    }
    held = row | {"task": "u", "held": 0.96, "held_or_warned": 0.96}
    text = describe(pd.DataFrame([row, held]))
    assert "ksg held the truth in 73% of all samples" in text
    assert "in 1 of 2 cells, in 1 of them clearly less: t at n = 300 (50%)" in text
    # 17 of 20: what a share of 90% gives in a third of all cases.
    text = describe(pd.DataFrame([row | {"held_or_warned": 0.85}, held]))
    assert "in 1 of 2 cells, in the others no less than chance allows" in text
    assert "independent" not in text
    independent = row | {"task": "independent: ties, normal", "truth": 0.0, "claimed": 0.05}
    assert "5.0%" in describe(pd.DataFrame([independent]))
    assert "No method" in describe(pd.DataFrame())


def test_independent_columns_share_nothing_by_construction():
    assert len(INDEPENDENT_TASKS) == 20
    known = draw("independent: clusters, zero-inflated", 4000, 1)
    assert abs(np.corrcoef(known.x, known.y)[0, 1]) < 0.06
    assert np.mean(known.y == 0) == pytest.approx(0.6, abs=0.03)
    other = draw("independent: clusters, zero-inflated", 4000, 2)
    assert not np.array_equal(known.x, other.x)


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_the_recipes_can_be_read(scale):
    path = Path(__file__).parents[3] / "analyses" / "recipes" / f"coverage.{scale}.yaml"
    assert isinstance(read_recipe(path, CoverageRecipe), CoverageRecipe)


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(InputError, match="unknown task"):
        run(CoverageRecipe(tasks=("normal 1x2",)), tmp_path)
