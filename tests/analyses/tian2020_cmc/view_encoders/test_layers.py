"""Layers: which runs there are, what each layer's classifier reads, and words from pairs of seeds."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.registry import recipe_path
from mitools.analyses.tian2020_cmc.view_encoders.layers import LayersRecipe, run
from mitools.analyses.tian2020_cmc.view_encoders.layers_words import describe
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe, read_recipe

METHODS = ["untrained", "predictive", "contrastive", "supervised"]


@pytest.fixture
def study(view_study: dict[str, Any]) -> dict[str, Any]:
    return view_study | {
        "evaluation": {"data": "scenes?size=16&n=48", "prior": "empirical"},
        "test": "scenes?size=16&n=40&part=test",
        "layers": ["layers.2", "layers.11"],
        "cells": [2, 9],
        "seeds": [3],
        "decoder_width": 8,
        "bins": 3,
        "target_size": 4,
    }


def read(content: dict[str, Any]) -> LayersRecipe:
    return make_recipe(content, LayersRecipe, "recipe")


@pytest.mark.slow
def test_every_layer_method_and_seed_is_read_once(study: dict[str, Any], tmp_path: Path) -> None:
    found = run(read(study | {"hidden": 8}), tmp_path)
    assert found is not None
    table = found.table
    assert list(table["method"]) == [method for method in METHODS for _ in range(2)]
    assert list(table["layer"]) == ["conv1", "conv2"] * 4
    # Cells a side: 2 of 16, and the 2 that a map of 2 x 2 has; two encoders side by side, or one.
    assert list(table["width"][:2]) == [2 * 8 * 4, 2 * 32 * 4]
    assert list(table["width"][-2:]) == [8 * 4, 32 * 4]
    for column in ("linear_test_acc", "mlp_test_acc"):
        assert table[column].between(0, 1).all()
        assert (table[f"{column}_low"] <= table[column]).all()
    assert (table["n_test"] == 40).all()
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading


def test_each_view_is_predicted_from_the_other_and_labels_train_one_network(study: dict[str, Any]) -> None:
    runs = read(study).runs()
    views = ["ydbdr:y", "ydbdr:dbdr"]
    assert runs["contrastive", 3].options["views"] == views
    for place in (0, 1):
        options = runs[f"predictive {place}", 3].options
        assert options["views"] == [views[place], views[1 - place]]
        assert (options["bins"], options["target_size"], options["loss"]) == (3, 4, "l2")
    supervised = runs["supervised", 3]
    assert (supervised.method, supervised.seed, supervised.encoder) == ("cross_entropy", 3, "tiny")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"test": "scenes?size=16&n=48"}, "would be the images trained on"),
        ({"layers": ["layers.2", "conv5"]}, "encoder tiny has no layer 'conv5'; nearest"),
        ({"test": "digits?limit=40"}, "have other classes"),
    ],
)
def test_what_cannot_be_read_is_refused_before_training(
    study: dict[str, Any], changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        run(read(study | changes), tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("cells", "said"), [([2], "1 numbers for 2 layers|at least 2"), ([2, 100], "more than 99")]
)
def test_cells_that_do_not_fit_are_one_line(study: dict[str, Any], cells: list[int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(study | {"cells": cells})


def table(deep: float, spread: float = 0.001) -> pd.DataFrame:
    """Three seeds: contrast has so much more at the last layer than all have everywhere."""
    rows = []
    for seed in range(3):
        for method in METHODS:
            for layer in ("conv1", "conv2"):
                value = 0.4 + (deep if method == "contrastive" and layer == "conv2" else 0.0)
                noise = spread * (seed - 1) * (1 if method == "contrastive" else -1)
                rows.append({"layer": layer, "method": method, "seed": seed, "linear_test_acc": value + noise,
                             "n_test": 2000, "width": 128})  # fmt: skip
    return pd.DataFrame(rows)


def test_words_name_the_layers_of_each_verdict() -> None:
    text = describe(table(0.1))
    assert "contrastive 40.0 and 50.0, +10.0 (+10.0 to +10.0) from conv1 to conv2 (it gains)" in text
    assert "untrained 40.0 and 40.0, +0.0 (+0.0 to +0.0) from conv1 to conv2 (neither is told)" in text
    assert "contrastive lies above untrained at conv2;" in text
    assert "supervised lies below contrastive at conv2." in text
    assert "hidden layer" not in text
    assert "contrastive and untrained are not told apart at any layer" in describe(table(0.01, spread=0.01))
    both = table(0.1).assign(mlp_test_acc=0.3)
    assert "Accuracy with a hidden layer by layer (%): untrained 30.0 and 30.0" in describe(both)


@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_recipes_are_read(scale: Any) -> None:
    recipe = read_recipe(recipe_path("layers", scale), LayersRecipe)
    assert len(recipe.layers) >= 4
