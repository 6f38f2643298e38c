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


START = {"digit": 0.89, "position": 12.0, "background": 0.7}
"""Errors of the untrained network."""


def table(**errors: float | tuple[float, float]) -> pd.DataFrame:
    """Two seeds of the digit alone, the background alone, both, and no training.

    By default the digit is learnt alone and lost beside the background, which is always learnt. An error by
    the name ``digit_of_both`` takes the place of that row's, in both seeds or in each.
    """
    known: dict[str, Any] = {"digit_of_digit": 0.2, "background_of_background": 0.5}
    known["background_of_both"] = 0.5
    rows: list[dict[str, Any]] = []
    for shared in ("digit", "background", "background, digit", "untrained"):
        for seed in (0, 1):
            for factor, start in START.items():
                name = f"{factor}_of_{'both' if ',' in shared else shared}"
                errors_of_seeds = np.broadcast_to((known | errors).get(name, start), 2)
                chance = 14.0 if factor == "position" else 0.9
                error, reach = float(errors_of_seeds[seed]), 0.02 * chance
                bits = 3 * (chance - error) / chance
                row: dict[str, Any] = {
                    "shared": shared,
                    "seed": seed,
                    "factor": factor,
                    "is_shared": factor in shared,
                }
                row |= {"shared_bits": 10.0, "error": error, "error_low": error - reach}
                row |= {"error_high": error + reach, "chance": chance, "linear_bits": bits, "h_bits": 3.32}
                rows.append(row | {"linear_low": bits - 0.05, "linear_high": bits + 0.05})
    return pd.DataFrame(rows)


def test_words_follow_from_numbers() -> None:
    first, digit, background, taken, together, rule = describe(table()).split("\n")
    assert first.startswith("Chance: digit 90.0%, position 14.00 pixels and background 90.0%. Untrained: ")
    assert "background 70.0% (0.67 of 3.32 bits)" in first
    assert digit.startswith(
        "Views that share the digit alone: digit 20.0% (2.33 of 3.32 bits), learnt; of the others"
    )
    # Below chance by far, but the untrained network reads as much.
    assert digit.endswith("background 70.0% (0.67 of 3.32 bits), not learnt.")
    assert "background alone: background 50.0% (1.33 of 3.32 bits), learnt; of" in background
    assert "10.0 bits of the position" in taken
    assert "background 50.0% (1.33 of 3.32 bits), learnt, not told apart from alone" in together
    assert "digit 89.0% (0.03 of 3.32 bits), not learnt, overwhelmed" in together
    assert "below the same seed's untrained network" in rule


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"digit_of_digit": 0.88}, "alone: digit 88.0% (0.07 of 3.32 bits), not learnt;"),
        ({"digit_of_digit": (0.88, 0.2)}, "learnt in 1 of 2 seeds; of the others"),
        ({"digit_of_digit": 0.88}, "bits), not learnt, alone not learnt."),
        ({"digit_of_digit": (0.2, 0.88)}, "bits), not learnt, alone learnt in 1 of 2 seeds."),
        ({"background_of_background": 0.69}, "background 69.0% (0.70 of 3.32 bits), not learnt; of"),
        ({"digit_of_both": 0.3}, "bits), learnt, worse than alone"),
        ({"digit_of_both": 0.1}, "bits), learnt, better than alone"),
        ({"digit_of_both": 0.21}, "bits), learnt, not told apart from alone"),
        ({"position_of_background": 13.9}, "position 13.90 pixels (0.02 of 3.32 bits), worse than un"),
        ({"position_of_digit": (9.0, 9.2)}, "position 9.00 to 9.20 pixels (1.05 of 3.32 bits), learnt;"),
    ],
)
def test_the_reading_says_otherwise_where_it_is(changes: dict[str, Any], said: str) -> None:
    assert said in describe(table(**changes))


def test_the_recipes_have_all_seven_subsets() -> None:
    for scale in get_args(Scale):
        recipe = read_recipe(recipe_path("shared_factors", scale), SharedFactorsRecipe)
        assert {frozenset(shared) for shared in recipe.shared} == {frozenset(one) for one in ALL_SUBSETS}
        assert len(recipe.seeds) >= 2
