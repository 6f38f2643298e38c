"""Prediction or contrast: each run is measured once on other data, and words follow from numbers."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.analyses.tian2020_cmc.view_encoders.predictive_or_contrastive import (
    PredictiveOrContrastiveRecipe,
    describe,
    run,
)
from mitools.core.errors import InputError
from mitools.core.recipes import make_recipe
from mitools.training.recipes import TrainingRecipe

OTHER_DATA = "cdp?size=28&background=none&colors=2&digits=2&positions=2&n=96&part=test"


@pytest.fixture
def study(view_study: dict[str, Any]) -> dict[str, Any]:
    return view_study | {
        "seeds": [0],
        "others": ["segmentation?classes=6"],
        "evaluation": {"data": OTHER_DATA},
        "supervised": {"epochs": 1, "batch_size": 16, "learning_rate": 0.05},
    }


def test_both_ways_are_measured_on_other_data(study: dict[str, Any], tmp_path: Path) -> None:
    found = run(make_recipe(study, PredictiveOrContrastiveRecipe, "recipe"), tmp_path)
    assert found is not None
    table = found.table
    assert list(table["method"]) == ["untrained", "predictive", "contrastive", "supervised"]
    assert table["linear_acc"].between(0, 1).all()
    assert table["i_class_bits"].notna().tolist() == [True, True, True, False]
    assert describe(pd.read_csv(tmp_path / "results.csv")) == found.reading
    assert "nothing is told apart" in found.reading


def test_a_segmentation_is_predicted_by_its_classes_and_depth_by_l1(study: dict[str, Any]) -> None:
    recipe: Any = make_recipe(
        study | {"others": ["segmentation?classes=6", "depth"], "seeds": [0, 3]},
        PredictiveOrContrastiveRecipe,
        "recipe",
    )
    runs: dict[tuple[str, str, int], TrainingRecipe] = recipe.runs()
    assert runs["predictive", "segmentation?classes=6", 0].options["loss"] == "cross_entropy"
    assert runs["predictive", "depth", 3].options["loss"] == "l1"
    assert runs["predictive", "depth", 3].seed == runs["contrastive", "depth", 3].seed == 3
    assert runs["contrastive", "depth", 0].options["views"] == ["lab:l", "depth"]
    assert {one.data for one in runs.values()} == {study["training"]["data"]}


def table(gain: float, spread: float = 0.001) -> pd.DataFrame:
    """Three seeds: contrast is ahead of prediction by a gain, up to a spread from seed to seed."""
    rows = []
    for seed in range(3):
        for other, method, acc in (
            ("untrained", "untrained", 0.25),
            ("depth", "predictive", 0.5),
            ("depth", "contrastive", 0.5 + gain + spread * (seed - 1)),
            ("supervised", "supervised", 0.65),
        ):
            row = {"other": other, "method": method, "seed": seed, "view": "lab:l", "linear_acc": acc}
            rows.append(row | {"h_c_bits": 2.0, "i_class_bits": 2 * acc})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("gain", "spread", "verdict"),
    [(0.05, 0.001, "+5.0 (+4.8 to +5.2), more"), (-0.05, 0.001, "-5.0 (-5.2 to -4.8), less"),
     (0.05, 0.05, "+5.0 (-7.4 to +17.4), not told apart")],
)  # fmt: skip
def test_words_follow_from_pairs_of_seeds(gain: float, spread: float, verdict: str) -> None:
    """The margin of three seeds is 4.303 standard errors, and the standard error the spread over root 3."""
    assert f"a difference of {verdict}" in describe(table(gain, spread))


def test_a_view_is_not_trained_with_itself(study: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not the view itself"):
        make_recipe(study | {"others": ["lab:l"]}, PredictiveOrContrastiveRecipe, "recipe")
