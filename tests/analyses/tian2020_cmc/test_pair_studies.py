"""Colour spaces and patches at a distance: what is measured, and what a recipe may not ask."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
import torch

from mitools.analyses.registry import Scale, recipe_path
from mitools.analyses.tian2020_cmc import accuracy_words, colour_spaces, patch_distance
from mitools.analyses.tian2020_cmc.colour_spaces import ColourSpacesRecipe
from mitools.analyses.tian2020_cmc.patch_distance import PatchDistanceRecipe
from mitools.analyses.tian2020_cmc.view_information import averaged_views
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe
from mitools.views.registry import make_view

SPACES = {name: (f"{name}:{channels[0]}", f"{name}:{channels[1:]}") for name, channels in
          (("rgb", "rgb"), ("lab", "lab"), ("yuv", "yuv"), ("hed", "hed"))}  # fmt: skip


def test_every_space_is_measured_trained_and_read(
    pair_study: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = make_recipe(pair_study | {"spaces": SPACES}, ColourSpacesRecipe, "recipe")
    found = colour_spaces.run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert list(table["setting"]) == list(SPACES)
    for name in ("mine_held_out", "infonce"):
        assert (table[f"{name}_low"] <= table[f"{name}_bits"]).all()
        assert table[f"{name}_null"].abs().max() < 1.0
    np.testing.assert_allclose(table["infonce_ceiling"], np.log2(table["n_pairs"]), atol=2.5)
    assert table[["linear_acc", "untrained_acc", "mine_in_sample_bits"]].notna().all(axis=None)
    kept = pd.read_csv(tmp_path / "results.csv")
    assert accuracy_words.describe(kept, colour_spaces.WHAT, colour_spaces.PAPER) == found.reading
    assert {path.name for path in found.files} == {
        "results.csv", "reading.txt", "colour_spaces.png", "colour_spaces.svg", "colour_spaces.pdf"
    }  # fmt: skip
    drawn = (tmp_path / "colour_spaces.svg").read_text()
    assert all(f">{name}<" in drawn for name in SPACES)
    before = written(tmp_path)
    assert colour_spaces.run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


@pytest.mark.slow
def test_patches_are_cut_where_training_cuts_them_and_read_at_their_size(
    pair_study: dict[str, Any], tmp_path: Path
) -> None:
    pair_study["training"]["image_size"] = pair_study["information"]["image_size"] = 40
    content = pair_study | {"size": 8, "distances": [8, 16, 24, 32], "evaluation_size": 8, "seeds": [3]}
    found = patch_distance.run(make_recipe(content, PatchDistanceRecipe, "recipe"), tmp_path)
    assert found is not None
    assert list(found.table["setting"]) == ["8", "16", "24", "32"]
    assert list(found.table["seed"]) == [3] * 4
    recipe = (tmp_path / "runs" / "16-seed-3" / "recipe.yaml").read_text()
    assert "patch?size=8&distance=16#1" in recipe
    kept = pd.read_csv(tmp_path / "results.csv")
    assert accuracy_words.describe(kept, patch_distance.WHAT, patch_distance.PAPER) == found.reading


def test_averages_are_those_of_the_views() -> None:
    """A cell's average written out; and both patches of a pair have one corner."""
    pixels = torch.randint(0, 256, (300, 3, 24, 24), dtype=torch.uint8)
    red, others = averaged_views([make_view("rgb:r"), make_view("rgb:gb")], pixels, 2, seed=0)
    by_hand = pixels.double().reshape(300, 3, 2, 12, 2, 12).mean(dim=(3, 5)) / 255
    np.testing.assert_allclose(red, by_hand[:, 0].reshape(300, 4), atol=1e-6)
    np.testing.assert_allclose(others, by_hand[:, 1:].reshape(300, 8), atol=1e-6)
    # The gradient's slope is 1 a pixel, so that a shift by 8 down and right adds 16 everywhere.
    slope = (torch.arange(24)[:, None] + torch.arange(24)).to(torch.uint8).expand(300, 3, 24, 24)
    patches = [make_view(f"patch?size=8&distance=8#{number}") for number in (0, 1)]
    first, second = averaged_views(patches, slope, 4, seed=1)
    np.testing.assert_allclose(second - first, 16 / 255, atol=1e-6)
    assert np.unique(first[:, 0]).size > 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 10}, "distance 8 is below the size 10"),
        ({"distances": [8, 16, 24, 33]}, "distance 33 has no room in images of 40; at most 32 has"),
        ({"distances": [8, 16]}, "distances"),
        ({"information": {"data": "digits", "image_size": 32}}, "the same image_size"),
    ],
)
def test_patches_without_room_are_refused(
    pair_study: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    pair_study["training"]["image_size"] = pair_study["information"]["image_size"] = 40
    content = pair_study | {"size": 8, "distances": [8, 16, 24, 32]} | changes
    with pytest.raises(InputError, match=said):
        make_recipe(content, PatchDistanceRecipe, "recipe")


@pytest.mark.parametrize(
    "changes", [{"method": "simclr", "options": {}}, {"options": {"views": ["image", "depth"]}}]
)
def test_views_are_left_to_the_runs(pair_study: dict[str, Any], changes: dict[str, Any]) -> None:
    pair_study["training"] |= changes
    with pytest.raises(InputError, match="its views are set by the runs"):
        make_recipe(pair_study | {"spaces": SPACES}, ColourSpacesRecipe, "recipe")


def test_views_of_something_else_than_the_image_are_refused(
    pair_study: dict[str, Any], tmp_path: Path
) -> None:
    spaces = SPACES | {"hed": ("partner:1", "image")}
    data = pair_study["training"]["data"] + "&partners=color"
    pair_study["training"]["data"] = data
    with pytest.raises(InputError, match="view partner:1 is drawn from partner:1; name views of the image"):
        colour_spaces.run(
            make_recipe(pair_study | {"spaces": spaces}, ColourSpacesRecipe, "recipe"), tmp_path
        )


@pytest.mark.parametrize("scale", get_args(Scale))
def test_recipes_are_read(scale: Scale) -> None:
    colours = read_recipe(recipe_path("colour_spaces", scale), ColourSpacesRecipe)
    assert {"rgb", "lab", "ydbdr", "hsv"} <= set(colours.spaces)
    patches = read_recipe(recipe_path("patch_distance", scale), PatchDistanceRecipe)
    assert patches.distances[0] == patches.size
