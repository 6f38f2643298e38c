"""The check of MINE: the pairs' truth, curves of both readings, and words that follow from numbers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.checks.mine_check import MineCheckRecipe, describe, pairs_of, run
from mitools.core.recipes import make_recipe, read_recipe

SMALL = {"nats": [0.5, 5.0], "n": 500, "hidden": 32, "batch_size": 200, "learning_rate": 0.003}


@pytest.mark.parametrize("nats", [0.5, 5.0])
def test_pairs_share_what_is_asked(nats: float) -> None:
    """The sample's own Gaussian information, of which chance adds 20 x 20 / 2n nats."""
    x, y = pairs_of(nats, 40_000, 0)
    assert x.shape == y.shape == (40_000, 20)
    determinants = [np.linalg.slogdet(np.cov(rows.T))[1] for rows in (x, y, np.hstack([x, y]))]
    assert (determinants[0] + determinants[1] - determinants[2]) / 2 == pytest.approx(nats + 0.005, abs=0.05)


def test_the_excess_is_found_and_drawn(tmp_path: Path, written: Callable[[Path], dict[Path, int]]) -> None:
    recipe = make_recipe(SMALL | {"steps": 150, "looks": 3}, MineCheckRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    assert len(found.table) == 2 * 4
    assert list(found.table["step"][:4]) == [0, 50, 100, 150]
    last = found.table[found.table["step"] == 150].set_index("truth_bits")
    assert last["in_sample_bits"].iloc[0] > 0.5 / np.log(2) > last["held_out_bits"].iloc[0]
    assert (last["null_in_sample_bits"] > 0.5).all()
    assert (last["held_out_low"] < last.index).all()
    kept = pd.read_csv(tmp_path / "results.csv")
    assert describe(kept) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "mine_check.png", "mine_check.svg", "mine_check.pdf"
    }  # fmt: skip
    text = (tmp_path / "mine_check.svg").read_text()
    for said in (
        "I(X;Y) = 0.72 bits",
        "in-sample minus held out",
        "held out: lower bound, n = 100",
        "MINE (bits)",
        "pairs (Cui et al. 2022, A.5",
    ):
        assert said in text
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


def table(**changes: Any) -> pd.DataFrame:
    columns = {
        "truth_bits": [1.0, 4.0], "n": 1000, "step": 50, "n_train": 800, "n_report": 200,
        "in_sample_bits": [2.0, 3.5], "held_out_bits": [0.5, 3.0], "held_out_low": [0.4, 2.9],
        "held_out_high": [0.6, 3.1], "null_in_sample_bits": [1.5, 1.75], "null_held_out_bits": [-0.5, -0.25],
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def test_words_follow_from_numbers() -> None:
    text = describe(table())
    assert "1.00 bits: 2.00 in-sample, 0.50 (0.40 to 0.60) held out" in text
    assert "above the truth in 1 of 2 panels, and above the held-out reading by 0.50 to 1.50 bits" in text
    assert "reads 1.50 to 1.75 in-sample and -0.50 to -0.25 held out" in text
    assert "No held-out interval lies above the truth." in text
    assert "1 held-out intervals lie above the truth" in describe(table(held_out_low=[1.5, 2.9]))


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: str) -> None:
    path = Path(__file__).parents[3] / "analyses" / "recipes" / f"mine_check.{scale}.yaml"
    recipe = read_recipe(path, MineCheckRecipe)
    assert (min(recipe.nats), max(recipe.nats), len(recipe.nats)) == (0.5, 5.0, 4)
    if scale == "paper":
        assert (recipe.hidden, recipe.batch_size, recipe.learning_rate, recipe.steps) == (
            1024,
            1000,
            1e-4,
            10_000,
        )
