"""The study of strong dependence: pairs that share what they say, and words that follow from the numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from mitools.analyses.checks.strong_dependence import (
    FAMILIES,
    StrongDependenceRecipe,
    describe,
    draw,
    run,
    strong_dependence_chart,
)
from mitools.core.errors import InputError


@pytest.mark.parametrize("columns", [1, 2, 5, 20])
@pytest.mark.parametrize("family", FAMILIES)
def test_families_share_as_much_as_asked_or_are_not_made(family, columns):
    for nats in (5.0, 10.0):
        known = draw(family, columns, nats, 50, seed=1)
        if known is None:
            impossible = {"mixed": columns == 1, "sin": columns == 20, "checkerboard": columns < 20}
            assert impossible[family]
            continue
        assert known.nats == pytest.approx(nats, abs=1e-6)
        assert known.x.shape == known.y.shape == (50, columns)


def test_uniform_pairs_are_seen_by_their_ranks():
    known = draw("uniform", 2, 5.0, 500, seed=1)
    for side in (known.x, known.y):
        assert np.array_equal(np.sort(side[:, 1]), np.arange(1, 501) / 500)
    assert kstest(draw("sin", 2, 5.0, 500, seed=1).x[:, 0], "uniform").pvalue > 0.01


def test_from_cells_to_files_and_again(tmp_path):
    recipe = StrongDependenceRecipe(families=("normal", "checkerboard"), nats=(5.0,), columns=(1,), rows=500)
    found = run(recipe, tmp_path)
    (row,) = found.table.to_dict("records")
    assert (row["family"], row["truth"]) == ("normal", pytest.approx(5.0))
    assert abs(row["error"]) < 0.15
    assert row["held"]
    # Neighbours alone read less on so thin a ridge.
    assert row["sklearn_error"] < -0.2
    names = {path.name for path in found.files}
    assert names == {
        "results.csv",
        "reading.txt",
        "strong_dependence.png",
        "strong_dependence.svg",
        "strong_dependence.pdf",
    }
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")}
    assert run(recipe, tmp_path).reading == found.reading
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("cells/*.json")} == written
    with pytest.raises(InputError, match="family"):
        run(StrongDependenceRecipe(families=("normel",)), tmp_path)


def test_the_words_follow_from_the_numbers():
    row = {"family": "normal", "columns": 1, "nats": 8.0, "held": True, "warned": False}
    rows = [
        row | {"error": 0.1, "sklearn_error": -2.0},
        row | {"family": "sin", "error": -1.0, "held": False, "warned": True, "sklearn_error": -4.0},
        row | {"family": "uniform", "columns": 5, "error": -0.3, "held": False, "sklearn_error": None},
    ]
    text = describe(pd.DataFrame(rows))
    assert "holds the truth in 1 of 3 samples, and holds it or a warning" in text
    assert "elsewhere in 2; neither in uniform of 8 nats in 5 column(s)" in text
    assert "2 samples of normal and uniform pairs" in text
    assert "0.200 nats on average, beyond the 0.15" in text
    assert "auto is off by 0.550 nats on average and scikit-learn's mutual_info_regression by 3.000" in text
    assert describe(pd.DataFrame()) == "No family can share so much in so few columns."
    with pytest.raises(InputError):
        strong_dependence_chart(pd.DataFrame())
