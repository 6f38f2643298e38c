"""The check of rows in groups: known truths, counts of intervals, and words that follow from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.checks.grouped_rows import (
    CLASSES,
    CORRELATION,
    GroupedRowsRecipe,
    coverage,
    describe,
    draw,
    run,
    truth_nats,
)


@pytest.mark.parametrize("method", ["certificate", "ksg"])
def test_rows_of_a_group_are_alike_and_the_marginals_are_as_ever(method: str) -> None:
    recipe = GroupedRowsRecipe(groups=4000, most_rows=5)
    x, y, groups = draw(method, recipe, 0)
    assert groups.max() == 3999
    assert 1.9 < len(groups) / 4000 < 4.1
    left = x[:, 0] - 2.0 * y if method == "certificate" else x[:, 0]
    assert left.mean() == pytest.approx(0, abs=0.06)
    assert left.std() == pytest.approx(1, abs=0.04)
    within = left - (np.bincount(groups, left) / np.bincount(groups))[groups]
    free = 1 - 4000 / len(groups)  # what the means of groups leave of the variance within them
    assert within.var() / free == pytest.approx(0.2, abs=0.02)
    if method == "ksg":
        assert np.corrcoef(x[:, 0], y)[0, 1] == pytest.approx(CORRELATION, abs=0.03)
    else:
        assert all(len(np.unique(y[groups == group])) == 1 for group in range(20))


def test_truths() -> None:
    assert truth_nats("ksg") == pytest.approx(-0.5 * np.log(1 - CORRELATION**2))
    # Draw a class and two rows of it: the mean log density ratio of 400,000 such pairs.
    rng = np.random.default_rng(0)
    label, means = rng.integers(0, CLASSES, 400_000), 2.0 * np.arange(CLASSES)
    x, y = (
        np.exp(-(((means[label] + rng.standard_normal(400_000))[:, None] - means) ** 2) / 2) for _ in "xy"
    )
    log_ratio = np.log((x * y).mean(axis=1) / x.mean(axis=1) / y.mean(axis=1))
    assert truth_nats("certificate") == pytest.approx(log_ratio.mean(), abs=0.005)


def test_the_intervals_are_counted_and_drawn(
    tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = GroupedRowsRecipe(methods=("ksg",), samples=12, groups=60, most_rows=12)
    found = run(recipe, tmp_path)
    assert found is not None
    assert len(found.table) == 24
    held = coverage(found.table).set_index("groups")["held"]
    assert held["named"] >= 9
    assert held["named"] > held["not named"]
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    text = (tmp_path / "grouped_rows.svg").read_text()
    for said in ("groups named", "not named", "intervals that hold the truth", "60 groups of 1 to 12 rows"):
        assert said in text
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


def test_words_follow_from_numbers() -> None:
    rows: list[dict[str, Any]] = [
        {"method": "ksg", "sample": sample, "groups": name, "holds": sample < held}
        for name, held in (("named", 9), ("not named", 4))
        for sample in range(10)
    ]
    table = pd.DataFrame(rows)
    assert describe(table) == (
        "Intervals of 95% that hold the truth: ksg: 9 with the groups named and 4 without, of 10."
    )
    found = coverage(table).set_index("groups")
    # Wilson's interval of 9 in 10 (Wilson 1927), as in any table.
    assert (found.loc["named", "low"], found.loc["named", "high"]) == pytest.approx(
        (0.5958, 0.9821), abs=1e-3
    )
