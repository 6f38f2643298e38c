"""AutoAugment and over-compression: the study end to end, and its words on tables whose truth is known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.cui2022.augmented.augmented import AugmentedRecipe, run
from mitools.analyses.cui2022.augmented.words import describe
from mitools.core.recipes import make_recipe

MADE = Callable[..., pd.DataFrame]


@pytest.mark.slow
def test_from_training_to_reading(tiny_study: dict[str, Any], tmp_path: Path) -> None:
    recipe = make_recipe(tiny_study | {"ctc": {"border": 1}}, AugmentedRecipe, "recipe")
    found = run(recipe, tmp_path / "out")
    assert found is not None
    assert len(found.table) == 4 * 3 * 2
    assert found.table.groupby("setting")["auto_augment"].first().to_dict() == {
        "vanilla": False, "ctc": False, "vanilla-auto": True, "ctc-auto": True,
    }  # fmt: skip
    untrained = found.table[(found.table["epoch"] == 0) & (found.table["data"] == "digits")]
    assert untrained["logistic_acc"].nunique() == 1, "all settings start from one network"
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "augmented.png", "augmented.svg", "augmented.pdf",
    }  # fmt: skip


def test_settings_differ_in_method_and_policy_alone(tiny_study: dict[str, Any]) -> None:
    settings = make_recipe(tiny_study | {"policy": "svhn"}, AugmentedRecipe, "recipe").settings()
    plain, auto = (settings[name].model_dump() for name in ("ctc", "ctc-auto"))
    assert auto["augmentation"] == plain["augmentation"] | {"auto": "svhn"}
    assert {key for key in plain if plain[key] != auto[key]} == {"augmentation"}
    assert {one.epochs for one in settings.values()} == {2}


def four(vanilla: float, ctc: float, auto: float, both: float) -> dict[str, dict[int, float]]:
    ends = {"vanilla": vanilla, "ctc": ctc, "vanilla-auto": auto, "ctc-auto": both}
    return {name: {1: 0.9, 2: end} for name, end in ends.items()}


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((0.7, 0.8, 0.8, 0.9), "a difference of +10.0 points (+10.0 to +10.0): it falls less with Auto"),
        ((0.7, 0.8, 0.6, 0.9), "it falls more with AutoAugment"),
        ((0.9, 0.9, 0.9, 0.9), "no fall is seen without it that it could lessen"),
        ((0.7, 0.8, 0.8, 0.9), "AutoAugment helps, and CTC adds to AutoAugment."),
        ((0.7, 0.8, 0.6, 0.5), "AutoAugment harms, and CTC takes from it (a gain above -10.0 points"),
    ],
)
def test_words_follow_from_the_numbers(
    ends: tuple[float, float, float, float], said: str, make_table: MADE
) -> None:
    assert said in describe(make_table(four(*ends)))


def test_noise_is_not_told(make_table: MADE) -> None:
    noisy = {"vanilla-auto": 0.05, "ctc-auto": 0.08}
    text = describe(make_table(four(0.7, 0.8, 0.72, 0.74), jitter=noisy))
    assert "that it falls less with AutoAugment is not seen" in text
    assert "AutoAugment is not seen to help or harm, and CTC is not seen to add to it" in text
