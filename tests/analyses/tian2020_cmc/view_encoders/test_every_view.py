"""Every view: each method and view is measured once, and words follow from pairs of seeds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.tian2020_cmc.view_encoders.every_view import EveryViewRecipe, run
from mitools.analyses.tian2020_cmc.view_encoders.every_view_words import describe
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe

METHODS = ["untrained", "predictive", "core view", "full graph", "supervised"]


def test_every_view_method_and_seed_is_measured_once(
    segmented_study: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = make_recipe(segmented_study | {"views": ["lab:l", "depth"]}, EveryViewRecipe, "recipe")
    found = run(recipe, tmp_path)
    assert found is not None
    table = found.table
    assert len(table) == len(table[["view", "method", "seed"]].drop_duplicates()) == 2 * 5 * 2
    assert list(dict.fromkeys(table["method"])) == METHODS
    assert table["mean_iou"].between(0, 1).all()
    assert table["pixel_accuracy"].between(0, 1).all()
    certified = table["i_class_bits"].notna()
    assert (certified == (table["method"] != "supervised")).all()
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


def test_data_without_a_segmentation_are_refused_before_training(
    segmented_study: dict[str, Any], tmp_path: Path
) -> None:
    segmented_study["training"]["data"] = "cdp?size=28&n=48"
    recipe = make_recipe(segmented_study | {"views": ["lab:l", "lab:ab"]}, EveryViewRecipe, "recipe")
    with pytest.raises(InputError, match="has no segmentation"):
        run(recipe, tmp_path)
    assert not (tmp_path / "runs").exists()


def test_a_modality_that_the_data_lack_is_one_line(segmented_study: dict[str, Any], tmp_path: Path) -> None:
    recipe = make_recipe(segmented_study | {"views": ["lab:l", "partner:1"]}, EveryViewRecipe, "recipe")
    with pytest.raises(InputError, match="scenes has no partner:1"):
        run(recipe, tmp_path)
