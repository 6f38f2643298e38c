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


@pytest.mark.slow
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


def table(full: float, spread: float = 0.002) -> pd.DataFrame:
    """Three seeds of two views: the full graph lies above the untrained encoder by an amount for each."""
    rows = []
    for seed in range(3):
        for view, sign in (("lab:l", 1), ("depth", -1)):
            values = dict.fromkeys(METHODS, 0.4) | {"full graph": 0.4 + sign * full + spread * (seed - 1)}
            for method, value in values.items():
                measures = dict.fromkeys(("pixel_accuracy", "mean_iou"), value)
                bits = None if method == "supervised" else value
                row = {"view": view, "method": method, "seed": seed, "h_c_bits": 2.0 if bits else None}
                rows.append(row | measures | {"i_class_bits": bits})
    return pd.DataFrame(rows)


def test_words_name_the_views_of_each_verdict() -> None:
    text = describe(table(0.1))
    assert "full graph lies above untrained for lab:l and full graph lies below untrained for depth" in text
    assert "core view and untrained are not told apart for any view" in text
    # Supervised encoders are trained for segmentation alone: no bits of theirs are compared.
    assert text.count("supervised lies below full graph for lab:l") == 2
    assert (
        "lab:l 40.0 untrained, 40.0 predictive, 40.0 core view, 50.0 full graph and 40.0 supervised" in text
    )


def test_without_a_segmentation_bits_and_accuracy_are_read() -> None:
    rows = table(0.1)
    labelled = rows[rows["method"] != "supervised"].drop(columns=["pixel_accuracy", "mean_iou"])
    text = describe(labelled.assign(linear_acc=labelled["i_class_bits"]))
    assert "Linear accuracy (%): lab:l 40.0 untrained, 40.0 predictive, 40.0 core view and 50.0 full" in text
    assert "Certified I_class (bits): lab:l 0.400 untrained" in text
    assert "IoU" not in text
    assert "supervised" not in text


def test_differences_within_the_spread_of_seeds_are_not_told() -> None:
    """Student's margin of three seeds is 2.48 spreads."""
    assert "full graph lies" not in describe(table(0.02, spread=0.01))
