"""Number of negatives: the runs, their in-training estimates below the ceiling, and words from numbers."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.registry import recipe_path
from mitools.analyses.tian2020_cmc.view_encoders.number_of_negatives import (
    NumberOfNegativesRecipe,
    describe,
    run,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe


@pytest.fixture
def study(view_study: dict[str, Any]) -> dict[str, Any]:
    view_study["training"]["options"] |= {"negatives": "nce"}
    return view_study | {"seeds": [0], "counts": [2, 8]}


@pytest.mark.slow
def test_every_number_is_measured_once(study: dict[str, Any], tmp_path: Path) -> None:
    found = run(make_recipe(study, NumberOfNegativesRecipe, "recipe"), tmp_path)
    assert found is not None
    table = found.table
    assert list(table["negatives"]) == [0, 2, 8]
    np.testing.assert_allclose(table["in_training_ceiling_bits"][1:], [math.log2(3), math.log2(9)])
    assert (table["in_training_bits"][1:] <= table["in_training_ceiling_bits"][1:]).all()
    assert table["linear_acc"].between(0, 1).all()
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading


def test_more_negatives_than_items_are_refused_before_training(study: dict[str, Any], tmp_path: Path) -> None:
    recipe = make_recipe(study | {"counts": [8, 48]}, NumberOfNegativesRecipe, "recipe")
    with pytest.raises(InputError, match="negatives_count 48 must be fewer than the data's 48 items"):
        run(recipe, tmp_path)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "counts", "said"),
    [({"negatives": "batch"}, [2, 8], "must be nce, bank or queue"),
     ({"negatives_count": 4}, [2, 8], "their numbers stand in counts"), ({}, [8, 2], "counts must rise")],
)  # fmt: skip
def test_recipes_that_leave_nothing_to_compare_are_refused(
    study: dict[str, Any], options: dict[str, Any], counts: list[int], said: str
) -> None:
    study["training"]["options"] |= options
    with pytest.raises(InputError, match=said):
        make_recipe(study | {"counts": counts}, NumberOfNegativesRecipe, "recipe")


def table(per_doubling: float, last: float = 0.0) -> pd.DataFrame:
    """Three seeds whose accuracy rises by so much a doubling, and at the last step by more."""
    rows = []
    for seed in range(3):
        rows.append({"negatives": 0, "method": "untrained", "seed": seed, "linear_acc": 0.3, "h_c_bits": 2.0,
                     "i_class_bits": 0.1})  # fmt: skip
        for count in (8, 16, 64):
            acc = 0.4 + per_doubling * math.log2(count / 8) + last * (count == 64) + 0.01 * seed
            row = {
                "negatives": count,
                "method": "contrastive",
                "seed": seed,
                "linear_acc": acc,
                "h_c_bits": 2.0,
            }
            row |= {"in_training_bits": 2.0, "in_training_ceiling_bits": math.log2(count + 1)}
            rows.append(row | {"i_class_bits": 0.5})
    return pd.DataFrame(rows)


def test_words_follow_from_numbers() -> None:
    text = describe(table(0.02))
    assert "41.0% with 8, 43.0% with 16 and 47.0% with 64; it rises with m, +2.0 (+2.0 to +2.0)%" in text
    assert "the last step brings +4.0 (+4.0 to +4.0)% (more)" in text
    assert "Certified I_class: 0.500 bits with 8, 0.500 bits with 16 and 0.500 bits with 64" in text
    assert "log2(m + 1), are 3.17, 4.09 and 6.02" in text
    assert "it falls with m, -2.0" in describe(table(-0.02))


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    recipe = read_recipe(recipe_path("number_of_negatives", scale), NumberOfNegativesRecipe)
    assert len(recipe.counts) >= 4
