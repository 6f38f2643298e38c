"""Shared factors of Colorful Moving-MNIST: rows of Table 4, and words that every seed allows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch

from mitools.analyses.registry import Scale, recipe_path
from mitools.analyses.tian2020_infomin.shared_factors.shared_factors import (
    ALL_SUBSETS,
    SharedFactorsRecipe,
    run,
)
from mitools.analyses.tian2020_infomin.shared_factors.shared_factors_words import describe
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.datasets.synthetic.colorful_moving_mnist import ColorfulMovingMNIST

TINY: dict[str, Any] = {
    "shared": [["background"], ["background", "digit"]],
    "frames": [1, 4],
    "image_side": 16,
    "training": {"steps": 2, "batch_size": 4, "head_width": 8},
    "supervised_steps": 2,
    "seeds": [0],
    "head_images": 120,
    "images": 240,
}


def test_every_row_and_factor_is_read_once(
    tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = make_recipe(TINY, SharedFactorsRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert len(table) == 4 * 3
    assert list(dict.fromkeys(table["shared"])) == [
        "background", "background, digit", "supervised", "untrained",
    ]  # fmt: skip
    chance = table.set_index(["shared", "factor"])["chance"]
    assert chance["background", "digit"] == chance["background", "background"] == pytest.approx(0.9)
    assert 13 < chance["background", "position"] < 15  # pixels
    assert table.set_index("factor")["h_bits"]["position"].tolist() == pytest.approx([4] * 4)  # 16 cells
    shared = table[table["is_shared"]][["shared", "factor"]].values.tolist()
    assert shared == [
        ["background", "background"], ["background, digit", "digit"], ["background, digit", "background"],
    ]  # fmt: skip
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


def test_the_second_view_alone_is_that_of_the_pair() -> None:
    pairs = ColorfulMovingMNIST(6).pairs(["digit"])
    _, image = pairs.compose(np.arange(6))
    assert torch.equal(pairs.images(np.arange(6)), image)


def test_images_are_averaged_to_the_side_of_the_recipe() -> None:
    recipe = make_recipe(TINY, SharedFactorsRecipe, "recipe")
    pixels = torch.zeros(2, 3, 3, 64, 64, dtype=torch.uint8)
    pixels[0, 1, :, :4, :4] = 255
    small = recipe.as_input(pixels)
    assert small.shape == (2, 3, 3, 16, 16)
    assert small[0, 1, 0, 0, 0] == 1.0
    assert (small[1] == -1).all()
    assert recipe.as_input(pixels[:, 0]).shape == (2, 3, 16, 16)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("shared", [["digits"]], "digits.*digit"),
        ("shared", [["digit"], []], "names no factor"),
        ("shared", [["digit", "position"], ["position", "digit"]], "the same factors twice"),
        ("image_side", 48, "must divide 64"),
        ("level", "pixel", "level"),
    ],
)
def test_a_recipe_without_sense_is_refused(key: str, value: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        make_recipe(TINY | {key: value}, SharedFactorsRecipe, "recipe")


def table(alone: float = 0.2, together: float = 0.88, bits_alone: float = 2.0) -> pd.DataFrame:
    """Two seeds of the digit alone and with the background; the background is learnt in both."""
    rows: list[dict[str, Any]] = []
    for shared in ("digit", "background", "background, digit"):
        for seed in (0, 1):
            for factor in ("digit", "background"):
                error = 0.89 if factor not in shared else 0.5
                if factor == "digit" and factor in shared:
                    error = alone if shared == "digit" else together
                error += 0.01 * seed
                bits = bits_alone * (0.9 - error) / 0.7 if factor == "digit" else 1.5
                row = {"shared": shared, "seed": seed, "factor": factor, "is_shared": factor in shared}
                row |= {"shared_bits": 10.0, "error": error, "error_low": error - 0.02}
                row |= {"error_high": error + 0.02, "chance": 0.9, "linear_bits": bits, "h_bits": 3.32}
                rows.append(row)
    return pd.DataFrame(rows)


def test_words_follow_from_numbers() -> None:
    text = describe(table())
    assert (
        "share the digit alone: error 20.0 to 21.0% (chance 90.0%; 1.99 of 3.32 bits), below chance" in text
    )
    assert "Views that share background, digit: background 50.0 to 51.0%" in text
    assert "digit 88.0 to 89.0% (chance 90.0%; 0.04 of 3.32 bits), overwhelmed: less than 0.5 of the" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alone": 0.88}, "not told apart from chance"),
        ({"alone": 0.88}, "which alone is not learnt either"),
        ({"together": 0.3}, "bits), worse than alone"),
        ({"together": 0.1}, "bits), better than alone"),
        ({"together": 0.21}, "bits), not told apart from alone"),
    ],
)
def test_the_reading_says_otherwise_where_it_is(changes: dict[str, float], said: str) -> None:
    assert said in describe(table(**changes))


def test_the_recipes_have_all_seven_subsets() -> None:
    for scale in get_args(Scale):
        recipe = read_recipe(recipe_path("shared_factors", scale), SharedFactorsRecipe)
        assert {frozenset(shared) for shared in recipe.shared} == {frozenset(one) for one in ALL_SUBSETS}
        assert len(recipe.seeds) >= 2
