"""An augmentation in a recipe: by its keys, or by the name of the view."""

from pathlib import Path
from typing import Any

import pytest

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe, make_recipe
from mitools.training.loop.trainer import train
from mitools.training.recipes import TrainingRecipe
from mitools.views.augmentation.simclr import PAPER
from mitools.views.recipes import Augmentation, AugmentationRecipe


class Some(Recipe):
    augmentation: Augmentation = None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ({}, AugmentationRecipe()),
        ({"flip": 0, "blur": "large"}, AugmentationRecipe(flip=0.0, blur="large")),
        ("simclr", PAPER),
        ("simclr?strength=0.5&blur=0", AugmentationRecipe()),
        ("infomin", "infomin"),
        ("infomin?steps=2&strength=2.0", "infomin?strength=2"),
    ],
)
def test_keys_and_names_make_the_same_recipe(given: Any, expected: AugmentationRecipe | str | None) -> None:
    assert make_recipe({"augmentation": given}, Some, "recipe").augmentation == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "image",
            "'augmentation': 'image' is no augmentation; write its keys, or simclr.strength=0.5, or infomin",
        ),
        ("jigsaw", "'augmentation': 'jigsaw' is no augmentation"),
        ("infomin?steps=9", "view 'infomin.steps=9': 'steps': .*less than or equal to 8, not 9"),
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


def test_an_augmentation_is_written_as_it_is_read() -> None:
    for given in ({"flip": 0.0}, "simclr", "infomin?steps=1", None):
        recipe = make_recipe({"augmentation": given}, Some, "recipe")
        assert make_recipe(recipe.model_dump(mode="json"), Some, "recipe") == recipe


def test_a_run_is_trained_on_infomins_views(tmp_path: Path) -> None:
    content = {"encoder": "convnet", "data": "digits?limit=64", "method": "simclr", "epochs": 1}
    losses = []
    for number, augmentation in enumerate(("infomin", "infomin?strength=2.5", "infomin")):
        recipe = make_recipe(content | {"batch_size": 32, "augmentation": augmentation}, TrainingRecipe)
        run = train(recipe, tmp_path / str(number))
        assert run.recipe().augmentation == augmentation
        losses.append([record["loss"] for record in run.metrics()])
    assert losses[0] == losses[2] != losses[1]
