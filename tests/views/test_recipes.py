"""An augmentation in a recipe: by its keys, or by the name of the view."""

from typing import Any

import pytest

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe, make_recipe
from mitools.views.augmentation.simclr import PAPER
from mitools.views.recipes import AugmentationRecipe


class Some(Recipe):
    augmentation: AugmentationRecipe | None = None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ({}, AugmentationRecipe()),
        ({"flip": 0, "blur": "large"}, AugmentationRecipe(flip=0.0, blur="large")),
        ("simclr", PAPER),
        ("simclr?strength=0.5&blur=0", AugmentationRecipe()),
    ],
)
def test_keys_and_names_make_the_same_recipe(given: Any, expected: AugmentationRecipe | None) -> None:
    assert make_recipe({"augmentation": given}, Some, "recipe").augmentation == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("image", "'augmentation': 'image' is no augmentation; write its keys, or simclr.strength=0.5"),
        ("simcrl", "'augmentation': unknown view 'simcrl'; did you mean simclr"),
        ("simclr?flip=2", "view 'simclr.flip=2': 'flip': .*less than or equal to 1, not 2"),
        ({"flop": 1}, "unknown key 'augmentation.flop'; did you mean flip"),
        ({"blur": True}, "'augmentation.blur': must be between 0 and 1, or large, not True"),
        (3, "'augmentation'"),
    ],
)
def test_a_wrong_augmentation_is_one_line(given: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        make_recipe({"augmentation": given}, Some, "recipe")
    assert "\n" not in str(caught.value)
