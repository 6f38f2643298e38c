"""Number of views: which runs there are, that all start alike, and words from pairs of seeds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.analyses.registry import recipe_path
from mitools.analyses.tian2020_cmc.view_encoders.every_view import EveryViewRecipe
from mitools.analyses.tian2020_cmc.view_encoders.number_of_views import NumberOfViewsRecipe, run
from mitools.analyses.tian2020_cmc.view_encoders.number_of_views_words import describe
from mitools.analyses.tian2020_cmc.view_encoders.predictive_or_contrastive import (
    PredictiveOrContrastiveRecipe,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

VIEWS = ["lab:l", "depth", "segmentation?classes=6"]


def read(content: dict[str, Any]) -> NumberOfViewsRecipe:
    return make_recipe(content, NumberOfViewsRecipe, "recipe")


def test_every_setting_is_measured_once(
    segmented_study: dict[str, Any], tmp_path: Path, written: Callable[[Path], dict[Path, int]]
) -> None:
    recipe = read(segmented_study | {"views": VIEWS[:2], "seeds": [4]})
    found = run(recipe, tmp_path)
    assert found is not None
    assert list(found.table["setting"]) == ["untrained", "2: depth", "supervised"]
    assert found.table["mean_iou"].between(0, 1).all()
    assert found.table["i_class_bits"].notna().tolist() == [True, True, False]
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    before = written(tmp_path)
    assert run(recipe, tmp_path) is not None
    assert written(tmp_path) == before


def test_runs_add_the_views_in_their_order(segmented_study: dict[str, Any]) -> None:
    recipe = read(segmented_study | {"views": VIEWS, "full_graph_views": 3, "point_layer": "layers.5"})
    runs = recipe.runs()
    assert set(runs) == {(graph, count, seed) for seed in (0, 1) for graph, count in
                         (("core view", 2), ("core view", 3), ("full graph", 3))}  # fmt: skip
    two, three, full = (
        runs[key].options for key in [("core view", 2, 1), ("core view", 3, 1), ("full graph", 3, 1)]
    )
    assert (two["views"], three["views"], full["views"]) == (VIEWS[:2], VIEWS, VIEWS)
    assert (two["graph"], three["core"], full["graph"]) == ("core", "lab:l", "full")
    assert two["point_layers"] == dict.fromkeys(VIEWS[:2], "layers.5")
    assert runs["core view", 2, 1].seed == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"views": VIEWS, "full_graph_views": 4}, "full_graph_views 4 is more than the 3 views"),
     ({"seeds": [1, 1]}, "every seed is run once")],
)  # fmt: skip
def test_recipes_that_say_too_much_are_refused(
    segmented_study: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read(segmented_study | changes)


def test_views_and_graph_are_left_to_the_runs(segmented_study: dict[str, Any]) -> None:
    segmented_study["training"]["options"] |= {"graph": "core"}
    with pytest.raises(InputError, match="its views and graph are set by the runs"):
        read(segmented_study)


def test_more_negatives_than_items_are_one_line(segmented_study: dict[str, Any], tmp_path: Path) -> None:
    segmented_study["training"]["options"] |= {"negatives": "bank", "negatives_count": 48}
    with pytest.raises(InputError, match="negatives_count 48 must be fewer than the data's 48 items"):
        run(read(segmented_study | {"views": VIEWS[:2], "seeds": [0]}), tmp_path)


def table(gain: float, spread: float = 0.001, untrained: float = 0.2) -> pd.DataFrame:
    """Three seeds of two to four views, each of which brings a gain; both graphs are as good."""
    rows = []
    for seed in range(3):
        values = {("core view", count): 0.3 + gain * (count - 2) for count in (2, 3, 4)}
        values |= {("untrained", 1): untrained, ("full graph", 4): 0.3 + 2 * gain, ("supervised", 1): 0.6}
        for (method, count), value in values.items():
            noise = spread * (seed - 1) * (1 if count == 3 else -1)
            bits = None if method == "supervised" else value + noise
            row = {
                "setting": f"{count}: {method}",
                "method": method,
                "views": count,
                "view": "lab:l",
                "seed": seed,
            }
            row |= dict.fromkeys(("pixel_accuracy", "mean_iou"), value + noise)
            rows.append(row | {"i_class_bits": bits, "h_c_bits": np.nan if bits is None else 2.0})
    return pd.DataFrame(rows)


def test_words_follow_from_numbers() -> None:
    text = describe(table(0.05))
    assert "Certified I_class: 0.300 bits with 2, 0.350 bits with 3 and 0.400 bits with 4." in text
    # Seed s has the slope 0.05 of its ends, which move alike; the middle view moves no slope of three.
    assert "it rises: +0.050 (+0.050 to +0.050) bits a view; of 2 added views 2 bring more beyond" in text
    assert "The untrained encoder has 20.0%; 3 of 3 settings have more beyond the interval, 0 less." in text
    assert "mean IoU +0.0 (+0.0 to +0.0)%, not told apart" in text
    assert "60.0% mean IoU, +20.0 (+20.0 to +20.0) against 4 views (more)" in text


@pytest.mark.parametrize(
    ("gain", "spread", "said"),
    [(-0.05, 0.001, "it falls: -0.050"),
     (0.0, 0.01, "of 2 added views 0 bring more beyond the interval and 0 less")],
)  # fmt: skip
def test_the_reading_says_otherwise_where_it_is(gain: float, spread: float, said: str) -> None:
    assert said in describe(table(gain, spread))


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    number = read_recipe(recipe_path("number_of_views", scale), NumberOfViewsRecipe)
    assert number.views[0] == "lab:l"
    assert len(number.seeds) >= 3
    every = read_recipe(recipe_path("every_view", scale), EveryViewRecipe)
    assert every.views == ("lab:l", "lab:ab", "depth", "normals")
    both = read_recipe(recipe_path("predictive_or_contrastive", scale), PredictiveOrContrastiveRecipe)
    assert len(both.others) == 3
