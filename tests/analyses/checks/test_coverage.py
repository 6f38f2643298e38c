"""The study of intervals: counted by hand, goes on where it stopped, and right where the theory is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.checks.coverage import (
    INDEPENDENT_TASKS,
    CoverageRecipe,
    _reading,
    describe,
    draw,
    run,
)
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Interval
from mitools.core.recipes import read_recipe

BRIEF = CoverageRecipe(
    tasks=("normal 1x1", "symmetric channel 8 symbols", "independent: ties, normal"),
    methods=("gaussian", "discrete"),
    sizes=(200,),
    seeds=40,
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
    assert names == {"results.csv", "reading.txt", "coverage.png", "coverage.svg"}

    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")}
    assert run(BRIEF, tmp_path).reading == found.reading
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")} == written


def test_a_reading_by_hand():
    interval = Interval(0.4, 0.6, 0.95)
    point = Estimate("ksg", "point estimate", 0.5, 0.05, interval, null_nats=0.1)
    assert [_reading(point, truth)["held"] for truth in (0.3, 0.5, 0.7)] == [False, True, False]
    bound = Estimate("dv", "lower bound", 0.5, 0.05, interval)
    assert [_reading(bound, truth)["held"] for truth in (0.3, 0.5, 0.7)] == [False, True, True]
    nothing = Estimate("nsb", "point estimate", 0.5, warnings=(EstimateWarning("undersampled", "few"),))
    read = _reading(nothing, 2.0)
    assert (read["held"], read["without_interval"], read["warned"], read["claimed"]) == (
        True,
        True,
        True,
        False,
    )
    assert _reading(point, 0.0)["claimed"]
    assert not _reading(point, 0.5)["warned"]


def test_the_paragraph():
    row = {
        "task": "t",
        "method": "ksg",
        "n": 300,
        "truth": 1.0,
        "held": 0.5,
        "held_or_warned": 0.5,
        "claimed": 1,
    }
    held = row | {"task": "u", "held": 0.96, "held_or_warned": 0.96}
    text = describe(pd.DataFrame([row, held]))
    assert "ksg held the truth in 73% of all samples" in text
    assert "in 1 of 2 cells (the worst: t at n = 300 (50%))" in text
    assert "independent" not in text
    assert "5.0%" in describe(pd.DataFrame([row | {"truth": 0.0, "claimed": 0.05}]))
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
